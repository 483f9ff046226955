using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Telemetry.AccessLogs;

namespace Mesh.DataPlane.Tcp;

/// <summary>What a <c>tcp_proxy</c> filter does with connections.</summary>
/// <param name="StatPrefix">The name by which its connections are told of.</param>
/// <param name="Clusters">Where they lead, by weight; one mostly.</param>
internal sealed record TcpProxyPolicy(string StatPrefix, IReadOnlyList<TcpProxyPolicy.Target> Clusters)
{
    /// <summary>After so long without a byte either way a connection is closed; Envoy's default is an hour, infinite switches it off.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How often a connection is tried (<c>max_connect_attempts</c>); once by default.</summary>
    public uint MaxConnectAttempts { get; init; } = 1;

    /// <summary>How long to wait between those; <see langword="null"/>, the default, is not at all.</summary>
    public BackOff? BackOff { get; init; }

    /// <summary>After so long a connection is closed whatever it does (<c>max_downstream_connection_duration</c>); infinite by default.</summary>
    public TimeSpan MaxDuration { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>By how much of itself, at most, that is longer, so that connections of one moment do not end at one moment; from 0 to 1.</summary>
    public double MaxDurationJitter { get; init; }

    /// <summary>Consistent hashing places connections by the address of this process (<c>hash_policy</c> <c>source_ip</c>).</summary>
    public bool HashesSourceAddress { get; init; }

    /// <summary>Where its connections are logged.</summary>
    public IReadOnlyList<AccessLogSettings> AccessLogs { get; init; } = [];

    /// <summary>One destination and its share.</summary>
    internal sealed record Target(string Cluster, uint Weight);
}
