using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadReporting;
using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.Explaining;

/// <summary>One endpoint of a cluster, as the balancer sees it.</summary>
/// <param name="Address"><c>10.0.0.1:9080</c>.</param>
/// <param name="Hostname">Its name; empty for none.</param>
/// <param name="Locality"><c>region/zone/sub-zone</c>; empty when nobody has said.</param>
/// <param name="Priority">0 is the highest.</param>
/// <param name="Weight">Its weight among its like.</param>
/// <param name="EdsHealth">What the control plane says of it: <c>HEALTHY</c>, <c>DRAINING</c> …</param>
/// <param name="Health">What it comes to: <c>Healthy</c>, <c>Degraded</c>, <c>Unhealthy</c>.</param>
/// <param name="HealthFlags">What is wrong with it, in Envoy's words; empty for a healthy one.</param>
/// <param name="ActiveRequests">Requests whose response has not ended.</param>
/// <param name="ActiveConnections">Open connections, busy or idle.</param>
internal sealed record EndpointDump(
    string Address,
    string Hostname,
    string Locality,
    uint Priority,
    uint Weight,
    string EdsHealth,
    string Health,
    IReadOnlyList<string> HealthFlags,
    int ActiveRequests,
    int ActiveConnections)
{
    /// <summary>The ejection that is in force; <see langword="null"/> for none.</summary>
    public EjectionDump? Ejection { get; init; }

    /// <summary>How often it has been ejected.</summary>
    public uint Ejections { get; init; }

    /// <summary>The share of requests that went well in the last interval, in percent; <see langword="null"/> without enough requests.</summary>
    public double? SuccessRate { get; init; }

    /// <inheritdoc cref="SuccessRate"/>
    public double? LocalOriginSuccessRate { get; init; }

    /// <summary>How it is spoken to, where that differs from the rest of the cluster or is said by it.</summary>
    public string Transport { get; init; } = "";

    /// <summary>What is said of it.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>What it was asked since it is there, by the names of Envoy's host counters.</summary>
    public IReadOnlyDictionary<string, long> Counters { get; init; } = new Dictionary<string, long>();

    /// <summary>Whether it may be picked when there is no panic.</summary>
    public bool IsAvailable => Health != nameof(EndpointHealth.Unhealthy);

    public static EndpointDump Of(Endpoint endpoint, ClusterPolicy? policy, TimeProvider time)
    {
        var outlier = endpoint.State.Monitor?.Outlier;
        return new EndpointDump(
            endpoint.Resource.AddressText,
            endpoint.Resource.Hostname,
            endpoint.Locality,
            endpoint.Priority,
            endpoint.Resource.Weight,
            endpoint.Resource.Status.ToString().ToUpperInvariant(),
            endpoint.Health.ToString(),
            [.. FlagsOf(endpoint)],
            endpoint.State.ActiveRequests,
            endpoint.State.ActiveConnections)
        {
            Ejection = outlier is { IsEjected: true, LastEjection: { } ejection }
                ? new EjectionDump(
                    ejection.Reason.ToString(),
                    ejection.At,
                    ejection.Duration.TotalSeconds,
                    Math.Max(0, Math.Round((ejection.At + ejection.Duration - time.GetUtcNow()).TotalSeconds, 3)))
                : null,
            Ejections = outlier?.Ejections ?? 0,
            SuccessRate = outlier?.SuccessRate,
            LocalOriginSuccessRate = outlier?.LocalOriginSuccessRate,
            Transport = policy is null ? "" : TransportWords.Of(policy.TransportTo(endpoint.Resource)),
            Labels = endpoint.Resource.Labels,
            Counters = CountersOf(endpoint.Load),
        };
    }

    private static Dictionary<string, long> CountersOf(EndpointLoad load) => new(StringComparer.Ordinal)
    {
        ["cx_connect_fail"] = load.Value(LoadCount.ConnectFailures),
        ["cx_total"] = load.Value(LoadCount.Connections),
        ["rq_error"] = load.Value(LoadCount.Failed),
        ["rq_success"] = load.Value(LoadCount.Succeeded),
        ["rq_total"] = load.Value(LoadCount.Issued),
    };

    // The names that Envoy's /clusters has for them.
    private static IEnumerable<string> FlagsOf(Endpoint endpoint)
    {
        var found = endpoint.State.Health.Flags;
        var said = endpoint.Resource.Status;
        (bool IsSet, string Name)[] flags =
        [
            (found.HasFlag(Clusters.HealthFlags.FailedActiveHealthCheck), "failed_active_hc"),
            (found.HasFlag(Clusters.HealthFlags.FailedOutlierCheck), "failed_outlier_check"),
            ((said & (HostStatuses.Unhealthy | HostStatuses.Draining | HostStatuses.Timeout)) != 0, "failed_eds_health"),
            (found.HasFlag(Clusters.HealthFlags.DegradedActiveHealthCheck), "degraded_active_hc"),
            ((said & HostStatuses.Degraded) != 0, "degraded_eds_health"),
            (found.HasFlag(Clusters.HealthFlags.PendingActiveHealthCheck), "pending_active_hc"),
            (found.HasFlag(Clusters.HealthFlags.ExcludedByImmediateFailure), "excluded_via_immediate_hc_fail"),
            (found.HasFlag(Clusters.HealthFlags.ActiveHealthCheckTimeout), "active_hc_timeout"),
            ((said & HostStatuses.Draining) != 0, "eds_status_draining"),
            (found.HasFlag(Clusters.HealthFlags.DegradedOutlierDetection), "degraded_outlier_detection"),
        ];
        return flags.Where(f => f.IsSet).Select(f => f.Name);
    }
}
