using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing;

namespace Mesh.DataPlane.Explaining;

/// <summary>A cluster as it is at this moment.</summary>
/// <param name="Name">As routes name it.</param>
/// <param name="Status"><c>Ready</c>, <c>Pending</c> or <c>Missing</c>.</param>
/// <param name="Version">The version that is in force.</param>
/// <param name="Error">Why it is not ready, or what is wrong with its endpoints; <see langword="null"/> when nothing is.</param>
/// <param name="LoadBalancing">Envoy's name of the policy; empty while there is none.</param>
/// <param name="Transport">How connections are made.</param>
/// <param name="CircuitBreakers">The limits of both priorities.</param>
/// <param name="Shares">How the priorities and their localities share the requests.</param>
/// <param name="Endpoints">All endpoints, those that are not used included.</param>
internal sealed record ClusterDump(
    string Name,
    string Status,
    string Version,
    string? Error,
    string LoadBalancing,
    string Transport,
    IReadOnlyList<BreakerDump> CircuitBreakers,
    IReadOnlyList<ShareDump> Shares,
    IReadOnlyList<EndpointDump> Endpoints)
{
    /// <summary>The share of requests that the control plane has dropped, in percent.</summary>
    public double DropPercent { get; init; }

    /// <summary>Below this percentage of healthy hosts all hosts are used.</summary>
    public double PanicThreshold { get; init; }

    /// <summary>Hosts that are ejected; <see langword="null"/> without outlier detection.</summary>
    public int? EjectedHosts { get; init; }

    /// <summary>The hosts are the addresses that callers ask for.</summary>
    public bool IsOriginalDestination { get; init; }

    /// <summary>Its counters, by Envoy's names.</summary>
    public IReadOnlyDictionary<string, long> Counters { get; init; } = new Dictionary<string, long>();

    public static ClusterDump Of(ClusterSubscription subscription, TimeProvider time)
        => Of(subscription.Cluster, time) with { EjectedHosts = subscription.Health?.Outliers?.EjectedHosts };

    public static ClusterDump Of(Cluster cluster, TimeProvider time)
    {
        var state = cluster.Current;
        return new ClusterDump(
            cluster.Name,
            state.Status.ToString(),
            state.Version,
            state.Error,
            state.Policy is { } policy ? NameOf(policy.LoadBalancing) : "",
            state.Policy is { } how ? TransportWords.Of(how.Transport) + (how.TransportMatches.Count > 0 ? ", unless the endpoint asks for something else" : "") : "",
            BreakerDump.Of(cluster),
            [.. state.Endpoints.Shares.Select(ShareDump.Of)],
            [.. state.Endpoints.Endpoints.Select(e => EndpointDump.Of(e, state.Policy, time))])
        {
            DropPercent = state.Endpoints.DropShare * 100,
            PanicThreshold = state.Policy?.PanicThreshold ?? 0,
            IsOriginalDestination = state.Destinations is not null,
            Counters = CountersOf(cluster.Stats),
        };
    }

    /// <summary>Envoy's name of a policy.</summary>
    public static string NameOf(LoadBalancingPolicy policy)
        => policy switch
        {
            RoundRobin => "ROUND_ROBIN",
            LeastRequest => "LEAST_REQUEST",
            RandomChoice => "RANDOM",
            RingHash => "RING_HASH",
            Maglev => "MAGLEV",
            PickFirst => "PICK_FIRST",
            ClusterProvided => "CLUSTER_PROVIDED",
            _ => policy.GetType().Name,
        };

    private static Dictionary<string, long> CountersOf(ClusterStats stats) => new(StringComparer.Ordinal)
    {
        ["upstream_cx_active"] = stats.ActiveConnections.Value,
        ["upstream_cx_total"] = stats.Connections.Value,
        ["upstream_cx_connect_fail"] = stats.ConnectFailures.Value,
        ["upstream_cx_connect_timeout"] = stats.ConnectTimeouts.Value,
        ["upstream_cx_overflow"] = stats.ConnectionOverflow.Value,
        ["upstream_rq_pending_total"] = stats.PendingTotal.Value,
        ["upstream_rq_pending_overflow"] = stats.PendingOverflow.Value,
        ["upstream_rq_retry_overflow"] = stats.RetryOverflow.Value,
    };
}
