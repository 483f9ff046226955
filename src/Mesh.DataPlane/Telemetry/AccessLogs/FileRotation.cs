namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>How large a file becomes, and how many there are.</summary>
/// <param name="MaxBytes">A line that would go beyond begins the next file.</param>
/// <param name="MaxFiles">The file that is written and those before it; at least 1.</param>
internal sealed record FileRotation(long MaxBytes, int MaxFiles);
