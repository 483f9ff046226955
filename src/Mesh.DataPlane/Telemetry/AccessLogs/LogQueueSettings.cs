namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>How long entries wait, and how many may.</summary>
/// <param name="FlushInterval">The longest wait for others.</param>
/// <param name="FlushBytes">From so many bytes on nobody waits.</param>
/// <param name="MaxBytes">More than these are dropped.</param>
internal sealed record LogQueueSettings(TimeSpan FlushInterval, int FlushBytes, long MaxBytes)
{
    /// <summary>What is given on at once.</summary>
    public int BatchBytes { get; init; } = 256 * 1024;
}
