namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>What has become of a line that was to be added to a <see cref="LineChunk"/>.</summary>
internal enum LinePlace
{
    /// <summary>It is there.</summary>
    Taken,

    /// <summary>The chunk has no room for it; another one may.</summary>
    Full,

    /// <summary>There is no room for it at all.</summary>
    None,
}
