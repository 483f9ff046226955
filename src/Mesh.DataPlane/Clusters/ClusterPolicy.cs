using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.HealthChecking;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.LoadReporting;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.OriginalDst;
using Mesh.DataPlane.OutlierDetection;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.DataPlane.Tls;
using Mesh.DataPlane.Transports;

namespace Mesh.DataPlane.Clusters;

/// <summary>How a cluster picks and dials.</summary>
/// <param name="LoadBalancing">The policy within a group of hosts.</param>
/// <param name="LocalityWeighted">Choose the locality by its weight first (Envoy's <c>locality_weighted_lb_config</c>).</param>
/// <param name="PanicThreshold">Below this percentage of healthy hosts in a priority all hosts are used (Envoy's default is 50).</param>
/// <param name="Transport">How connections are made, but to endpoints that one of <see cref="TransportMatches"/> is for; another value means other connection pools.</param>
internal sealed record ClusterPolicy(LoadBalancingPolicy LoadBalancing, bool LocalityWeighted, double PanicThreshold, TransportSettings Transport)
{
    /// <summary>What statistics, logs and spans call the cluster (<c>alt_stat_name</c>); <see langword="null"/> for its name.</summary>
    public string? StatName { get; init; }

    /// <summary>Endpoints to which connections are made otherwise, in the order in which they are asked (<c>transport_socket_matches</c>).</summary>
    public IReadOnlyList<TransportMatch> TransportMatches { get; init; } = [];

    /// <summary>How connections are made whose TLS the cluster describes somewhere.</summary>
    public IEnumerable<UpstreamTls> Tls => TransportMatches.Select(m => m.Transport).Prepend(Transport).Select(t => t.Tls).OfType<UpstreamTls>();

    /// <summary>What requests are placed by, whatever their route says; <see langword="null"/> when it is up to the route.</summary>
    public HashPolicies? HashPolicies { get; init; }

    /// <summary>Headers that may name the host to pick (<c>override_host</c>); <see langword="null"/> when none may.</summary>
    public IReadOnlyList<HeaderName>? OverrideHostHeaders { get; init; }

    /// <summary>Prefer the caller's zone (<c>zone_aware_lb_config</c>).</summary>
    public ZoneAware? ZoneAware { get; init; }

    /// <summary>Who is ejected for failing; <see langword="null"/> for nobody.</summary>
    public OutlierDetectionPolicy? OutlierDetection { get; init; }

    /// <summary>How hosts are checked; <see langword="null"/> when they are not.</summary>
    public HealthCheckPolicy? HealthCheck { get; init; }

    /// <summary>A new host counts for nothing until it has been checked, instead of as unhealthy.</summary>
    public bool IgnoreNewHostsUntilFirstHealthCheck { get; init; }

    /// <summary>A host that discovery drops is gone at once, even while its checks pass.</summary>
    public bool IgnoreHealthOnHostRemoval { get; init; }

    /// <summary>A host that turns unhealthy loses its connections; responses under way end first.</summary>
    public bool CloseConnectionsOnHealthFailure { get; init; }

    /// <summary>Whenever hosts come or go, the connections to all hosts are made anew; responses under way end first.</summary>
    public bool CloseConnectionsOnHostSetChange { get; init; }

    /// <summary>In panic use no host instead of all.</summary>
    public bool FailTrafficOnPanic { get; init; }

    /// <summary>The statuses with which a host may still be used by a session that sticks to it (<c>override_host_status</c>).</summary>
    public HostStatuses OverrideHostStatuses { get; init; } = HostStatuses.Default;

    /// <summary>Its hosts are the addresses that callers ask for; <see langword="null"/> when it has hosts of its own.</summary>
    public OriginalDestinationSettings? OriginalDestination { get; init; }

    /// <summary>How connections to an endpoint are made: by the first match for what is said of it, then for what is said of its locality (as Envoy looks).</summary>
    public TransportSettings TransportTo(EndpointResource endpoint)
        => TransportMatches.Count == 0 ? Transport : TransportOf(endpoint.TransportLabels) ?? TransportOf(endpoint.LocalityTransportLabels) ?? Transport;

    /// <summary>By what stands in the metadata <c>envoy.transport_socket_match</c>.</summary>
    /// <returns><see langword="null"/> when no match is for it.</returns>
    public TransportSettings? TransportOf(IReadOnlyDictionary<string, Value>? labels)
    {
        foreach (var match in TransportMatches)
        {
            if (match.IsFor(labels))
            {
                return match.Transport;
            }
        }

        return null;
    }

    /// <summary>What every request to it is under, whatever its route; <see langword="null"/> when it is up to the route.</summary>
    public ClusterRequestPolicy? Requests { get; init; }

    /// <summary>What the control plane wants to be told of its load.</summary>
    public LoadReportingPolicy LoadReporting { get; init; } = LoadReportingPolicy.None;

    /// <summary>Which service it is of, for what is told of its requests (metadata <c>istio.services</c>); <see langword="null"/> when nobody has said.</summary>
    public ServiceNames? Service { get; init; }

    /// <summary>All that is said of it, for logs and expressions; <see langword="null"/> for nothing.</summary>
    public ResourceMetadata? Metadata { get; init; }

    /// <summary>How many requests, connections and retries there may be at a time.</summary>
    public ClusterThresholds CircuitBreakers { get; init; } = ClusterThresholds.None;
}
