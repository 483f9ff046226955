using Mesh.DataPlane.Calls;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>A service that takes entries.</summary>
/// <param name="Target">The cluster.</param>
/// <param name="LogName">What the log is called.</param>
internal sealed record CollectorSettings(ClusterTarget Target, string LogName)
{
    /// <summary>How long entries wait for others at most.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How many bytes of entries do not wait for others.</summary>
    public int BufferBytes { get; init; } = 16 * 1024;

    /// <summary>What every entry is given besides.</summary>
    public IReadOnlyList<CustomTag> Tags { get; init; } = [];

    /// <summary>Headers of the calls.</summary>
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];
}
