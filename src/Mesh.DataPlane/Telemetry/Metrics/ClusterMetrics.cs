using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.OutlierDetection;
using Mesh.DataPlane.Routing;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>Envoy's metrics of clusters (<c>envoy_cluster_*</c>), read when somebody asks for them from what the clusters count anyway.</summary>
internal static class ClusterMetrics
{
    private const string Prefix = "envoy_cluster_";
    private const string Label = "cluster_name";

    /// <summary>Numbers of one cluster, by the name without <see cref="Prefix"/>.</summary>
    private static readonly (string Name, MetricType Type, string Help, Func<Source, double?> Read)[] Table =
    [
        ("upstream_rq_total", MetricType.Counter, "Requests sent, retries included.", c => c.Stats.Requests.Total + c.Stats.OutsideRequests.Value),
        ("upstream_rq_completed", MetricType.Counter, "Requests that got a response.", c => c.Stats.Requests.Completed),
        ("upstream_rq_retry", MetricType.Counter, "Retries.", c => c.Stats.Requests.Retries),
        ("upstream_rq_retry_success", MetricType.Counter, "Requests that a retry has saved.", c => c.Stats.Requests.RetrySuccesses),
        ("upstream_rq_retry_limit_exceeded", MetricType.Counter, "Requests for which all retries were in vain.", c => c.Stats.Requests.RetryLimitsExceeded),
        ("upstream_rq_retry_overflow", MetricType.Counter, "Retries that the circuit breaker refused.", c => c.Stats.RetryOverflow.Value),
        ("retry_or_shadow_abandoned", MetricType.Counter, "Retries that were not made because the body had not been kept.", c => c.Stats.RetryOrShadowAbandoned.Value),
        ("upstream_rq_timeout", MetricType.Counter, "Requests that timed out.", c => c.Stats.Requests.Timeouts),
        ("upstream_rq_cancelled", MetricType.Counter, "Requests whose caller left.", c => c.Stats.Requests.Cancellations),
        ("upstream_rq_rx_reset", MetricType.Counter, "Requests that the upstream reset.", c => c.Stats.Requests.Resets),
        ("upstream_rq_active", MetricType.Gauge, "Requests under way.", c => c.Cluster is null ? 0 : c.Default!.ActiveRequests + c.High!.ActiveRequests),
        ("upstream_rq_pending_active", MetricType.Gauge, "Requests that wait for a connection.", c => c.Cluster is null ? 0 : c.Default!.PendingRequests + c.High!.PendingRequests),
        ("upstream_rq_pending_total", MetricType.Counter, "Requests that had to wait for a connection.", c => c.Stats.PendingTotal.Value),
        ("upstream_rq_pending_overflow", MetricType.Counter, "Requests that the circuit breaker refused.", c => c.Stats.PendingOverflow.Value),
        ("upstream_internal_redirect_succeeded_total", MetricType.Counter, "Redirects that were followed here.", c => c.Stats.InternalRedirectsSucceeded.Value),
        ("upstream_internal_redirect_failed_total", MetricType.Counter, "Redirects that the caller got although they were to be followed.", c => c.Stats.InternalRedirectsFailed.Value),
        ("upstream_cx_total", MetricType.Counter, "Connections made.", c => c.Stats.Connections.Value),
        ("upstream_cx_active", MetricType.Gauge, "Connections that are open.", c => c.Stats.ActiveConnections.Value),
        ("upstream_cx_destroy", MetricType.Counter, "Connections closed.", c => c.Stats.ClosedHere.Value + c.Stats.ClosedThere.Value),
        ("upstream_cx_destroy_local", MetricType.Counter, "Connections that this process has closed.", c => c.Stats.ClosedHere.Value),
        ("upstream_cx_destroy_remote", MetricType.Counter, "Connections that the other end had closed.", c => c.Stats.ClosedThere.Value),
        ("upstream_cx_connect_fail", MetricType.Counter, "Connections that could not be made.", c => c.Stats.ConnectFailures.Value),
        ("upstream_cx_connect_timeout", MetricType.Counter, "Connections that were not made in time.", c => c.Stats.ConnectTimeouts.Value),
        ("upstream_cx_connect_attempts_exceeded", MetricType.Counter, "Connections given up after as many attempts as there may be.", c => c.Stats.ConnectAttemptsExceeded.Value),
        ("upstream_cx_none_healthy", MetricType.Counter, "Connections that were not made because no host may be used.", c => c.Stats.NoneHealthy.Value),
        ("upstream_cx_overflow", MetricType.Counter, "Requests that found all connections in use.", c => c.Stats.ConnectionOverflow.Value),
        ("upstream_cx_max_requests", MetricType.Counter, "Connections closed for max_requests_per_connection.", c => c.Stats.MaxRequestsReached.Value),
        ("upstream_cx_idle_timeout", MetricType.Counter, "Connections closed because nothing moved on them.", c => c.Stats.IdleTimeouts.Value),
        ("upstream_cx_max_duration_reached", MetricType.Counter, "Connections closed because of their age.", c => c.Stats.MaxDurationReached.Value),
        ("upstream_cx_tx_bytes_total", MetricType.Counter, "Bytes sent on connections that carry no requests.", c => c.Stats.BytesSent.Value),
        ("upstream_cx_rx_bytes_total", MetricType.Counter, "Bytes received on connections that carry no requests.", c => c.Stats.BytesReceived.Value),
        ("ssl_handshake", MetricType.Counter, "Connections on which TLS is spoken.", c => c.Stats.TlsHandshakes.Value),
        ("ssl_connection_error", MetricType.Counter, "Connections that are none because TLS failed.", c => c.Stats.TlsFailures.Value),
        ("original_dst_host_invalid", MetricType.Counter, "Headers that should have named a destination and did not.", c => c.Stats.OriginalDestinationInvalid.Value),
        ("membership_total", MetricType.Gauge, "Endpoints.", c => c.Endpoints.Count),
        ("membership_healthy", MetricType.Gauge, "Endpoints that are healthy.", c => c.Endpoints.Count(e => e.Health == EndpointHealth.Healthy)),
        ("membership_degraded", MetricType.Gauge, "Endpoints that are degraded.", c => c.Endpoints.Count(e => e.Health == EndpointHealth.Degraded)),
        ("membership_excluded", MetricType.Gauge, "Endpoints that the sums over hosts leave out.", c => c.Endpoints.Count(e => e.IsExcluded)),
        ("lb_healthy_panic", MetricType.Counter, "Picks among all hosts because too few are healthy.", c => c.Stats.HealthyPanic.Value),
        ("lb_recalculate_zone_structures", MetricType.Counter, "How often it was worked out which requests stay in the zone of this process.", c => c.Stats.ZonesRecalculated.Value),
        ("lb_zone_cluster_too_small", MetricType.Counter, "How often there were too few hosts to keep requests in a zone.", c => c.Stats.ZoneClusterTooSmall.Value),
        ("lb_zone_routing_all_directly", MetricType.Counter, "Picks in the zone of this process, where all requests stay.", c => c.Stats.ZoneRoutedDirectly.Value),
        ("lb_zone_routing_sampled", MetricType.Counter, "Picks in the zone of this process, where a part of the requests stays.", c => c.Stats.ZoneSampled.Value),
        ("lb_zone_routing_cross_zone", MetricType.Counter, "Picks in another zone.", c => c.Stats.ZoneCrossed.Value),
        ("default_total_match_count", MetricType.Gauge, "Endpoints to which connections are made as the cluster says by default.", c => c.DefaultMatches),
        ("outlier_detection_ejections_active", MetricType.Gauge, "Endpoints that are ejected.", c => c.Endpoints.Count(e => (e.State.Health.Flags & HealthFlags.FailedOutlierCheck) != 0)),
        ("outlier_detection_ejections_enforced_total", MetricType.Counter, "Ejections.", c => c.Outliers?.EnforcedTotal ?? 0),
        ("outlier_detection_ejections_overflow", MetricType.Counter, "Outliers that stayed because of max_ejection_percent.", c => c.Outliers?.Overflow ?? 0),
        .. Ejections("consecutive_5xx", EjectionReason.Consecutive5xx),
        .. Ejections("consecutive_gateway_failure", EjectionReason.ConsecutiveGatewayFailure),
        .. Ejections("success_rate", EjectionReason.SuccessRate),
        .. Ejections("failure_percentage", EjectionReason.FailurePercentage),
        .. Ejections("consecutive_local_origin_failure", EjectionReason.ConsecutiveLocalOriginFailure),
        .. Ejections("local_origin_success_rate", EjectionReason.SuccessRateLocalOrigin),
        .. Ejections("local_origin_failure_percentage", EjectionReason.FailurePercentageLocalOrigin),
        .. Breakers("default", c => c.Default),
        .. Breakers("high", c => c.High),

        // What cannot happen in this process has its name all the same: dashboards ask for it, and nought is the truth.
        ("assignment_stale", MetricType.Counter, "Assignments that became stale; none does here.", _ => 0),
        ("assignment_timeout_received", MetricType.Counter, "Assignments with a time to live; it is not applied here.", _ => 0),
        ("lb_local_cluster_not_ok", MetricType.Counter, "How often a panicking local cluster kept requests from staying in their zone; there is none here.", _ => 0),
        ("lb_zone_number_differs", MetricType.Counter, "How often the local cluster had other zones; there is none here.", _ => 0),
        ("lb_subsets_active", MetricType.Gauge, "Subsets of hosts; lb_subset_config is refused here.", _ => 0),
        ("lb_subsets_created", MetricType.Counter, "Subsets of hosts that were made; none is.", _ => 0),
        ("lb_subsets_removed", MetricType.Counter, "Subsets of hosts that were given up; none is.", _ => 0),
        ("lb_subsets_selected", MetricType.Counter, "Picks in a subset; there is none.", _ => 0),
        ("lb_subsets_fallback", MetricType.Counter, "Picks that fell back from subsets; none does.", _ => 0),
        ("lb_subsets_fallback_panic", MetricType.Counter, "Picks that fell back from subsets in panic; none does.", _ => 0),
        ("bind_errors", MetricType.Counter, "Own addresses that could not be bound; none is bound here.", _ => 0),
        ("http2_dropped_headers_with_underscores", MetricType.Counter, "Headers of responses that were dropped for an underscore; none is.", _ => 0),
        ("http1_dropped_headers_with_underscores", MetricType.Counter, "Headers of responses that were dropped for an underscore; none is.", _ => 0),
    ];

    /// <summary>Shows all clusters of an engine.</summary>
    public static void Register(MetricRegistry registry, MeshEngine engine)
    {
        foreach (var (name, type, help, read) in Table)
        {
            registry.Observe(new MetricDescription(Prefix + name, type, help, Label), visitor =>
            {
                foreach (var sources in Sources(engine))
                {
                    if (Sum(sources, read) is { } value)
                    {
                        visitor.Value([sources.Key], value);
                    }
                }
            });
        }

        registry.Observe(new MetricDescription(Prefix + "upstream_rq_xx", MetricType.Counter, "Responses by class.", "envoy_response_code_class", Label), visitor =>
        {
            foreach (var sources in Sources(engine))
            {
                for (var i = 1; i <= 5; i++)
                {
                    visitor.Value([i.ToString(System.Globalization.CultureInfo.InvariantCulture), sources.Key], sources.Sum(source => source.Stats.Requests.Of(i)));
                }
            }
        });
    }

    // Clusters of one name for statistics have, as in Envoy, their statistics together.
    private static ILookup<string, Source> Sources(MeshEngine engine) => All(engine).ToLookup(source => source.Cluster?.StatName ?? source.Name, StringComparer.Ordinal);

    private static double? Sum(IEnumerable<Source> sources, Func<Source, double?> read)
    {
        double? sum = null;
        foreach (var source in sources)
        {
            sum = read(source) is { } value ? (sum ?? 0) + value : sum;
        }

        return sum;
    }

    private static IEnumerable<Source> All(MeshEngine engine)
    {
        var outside = engine.Clusters.OutsideClusters;
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var subscription in engine.Clusters.All)
        {
            names.Add(subscription.Cluster.Name);
            yield return new Source(subscription.Cluster.Name, subscription.Cluster.Stats, subscription.Cluster, subscription.Health?.Outliers?.Statistics);
        }

        foreach (var (name, stats) in new[] { (OutsideClusters.BlackHole, outside.BlackHoleStats), (OutsideClusters.Passthrough, outside.PassthroughStats) })
        {
            if (!names.Contains(name))
            {
                yield return new Source(name, stats, null, null);
            }
        }

        yield return new Source(ControlPlaneMetrics.Cluster, ControlPlaneMetrics.None, null, null);
    }

    private static (string, MetricType, string, Func<Source, double?>)[] Ejections(string name, EjectionReason reason)
    =>
    [
        ($"outlier_detection_ejections_detected_{name}", MetricType.Counter, "Outliers of this kind, ejected or not.", c => c.Outliers?.Detected(reason) ?? 0),
        ($"outlier_detection_ejections_enforced_{name}", MetricType.Counter, "Outliers of this kind that were ejected.", c => c.Outliers?.Enforced(reason) ?? 0),
    ];

    private static (string, MetricType, string, Func<Source, double?>)[] Breakers(string priority, Func<Source, CircuitBreaker?> of)
    =>
    [
        ($"circuit_breakers_{priority}_cx_open", MetricType.Gauge, "1 while there are as many connections as there may be.", c => of(c) is { } b && b.ActiveConnections >= b.Limits.MaxConnections ? 1 : 0),
        ($"circuit_breakers_{priority}_rq_open", MetricType.Gauge, "1 while there are as many requests as there may be.", c => of(c) is { } b && b.ActiveRequests >= b.Limits.MaxRequests ? 1 : 0),
        ($"circuit_breakers_{priority}_rq_pending_open", MetricType.Gauge, "1 while as many requests wait as may.", c => of(c) is { } b && b.PendingRequests >= b.Limits.MaxPendingRequests ? 1 : 0),
        ($"circuit_breakers_{priority}_rq_retry_open", MetricType.Gauge, "1 while there are as many retries as there may be.", c => of(c) is { } b && b.ActiveRetries >= b.Limits.MaxRetries ? 1 : 0),
        ($"circuit_breakers_{priority}_cx_pool_open", MetricType.Gauge, "1 while there are as many connection pools as there may be; they are not limited here.", _ => 0),

        // As in Envoy only where track_remaining asks for them.
        ($"circuit_breakers_{priority}_remaining_cx", MetricType.Gauge, "Connections that may yet be made.", c => of(c)?.Remaining?.Connections),
        ($"circuit_breakers_{priority}_remaining_rq", MetricType.Gauge, "Requests that may yet be sent.", c => of(c)?.Remaining?.Requests),
        ($"circuit_breakers_{priority}_remaining_pending", MetricType.Gauge, "Requests that may yet wait.", c => of(c)?.Remaining?.PendingRequests),
        ($"circuit_breakers_{priority}_remaining_retries", MetricType.Gauge, "Retries that may yet be made.", c => of(c)?.Remaining?.Retries),
    ];

    /// <summary>What is read of one cluster.</summary>
    private sealed record Source(string Name, ClusterStats Stats, Cluster? Cluster, OutlierStatistics? Outliers)
    {
        public CircuitBreaker? Default => Cluster?.Breakers[RoutingPriority.Default];

        public CircuitBreaker? High => Cluster?.Breakers[RoutingPriority.High];

        public IReadOnlyList<Endpoint> Endpoints => Cluster?.Current.Endpoints.Endpoints ?? [];

        public int DefaultMatches => Cluster?.Current.Policy is { } policy ? Endpoints.Count(e => ReferenceEquals(policy.TransportTo(e.Resource), policy.Transport)) : 0;
    }
}
