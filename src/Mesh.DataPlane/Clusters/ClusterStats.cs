namespace Mesh.DataPlane.Clusters;

/// <summary>What has happened to a cluster's connections and limits since the process began, by Envoy's names. An ordinary request counts in <see cref="Requests"/> alone.</summary>
internal sealed class ClusterStats
{
    /// <summary><c>upstream_rq_total</c>, of the two clusters that stand for what is outside of the mesh.</summary>
    public Cell OutsideRequests;

    /// <summary><c>upstream_cx_active</c>: open connections, busy or idle.</summary>
    public Cell ActiveConnections;

    /// <summary><c>upstream_cx_total</c>.</summary>
    public Cell Connections;

    /// <summary><c>upstream_cx_destroy_local</c>: connections that this end has closed.</summary>
    public Cell ClosedHere;

    /// <summary><c>upstream_cx_destroy_remote</c>: connections that the other end had closed when this one did.</summary>
    public Cell ClosedThere;

    /// <summary><c>lb_healthy_panic</c>: picks in panic.</summary>
    public Cell HealthyPanic;

    /// <summary><c>lb_recalculate_zone_structures</c>.</summary>
    public Cell ZonesRecalculated;

    /// <summary><c>lb_zone_cluster_too_small</c>: the cluster has too few hosts to be divided.</summary>
    public Cell ZoneClusterTooSmall;

    /// <summary><c>lb_zone_routing_all_directly</c>: picks in the own zone, where all requests stay.</summary>
    public Cell ZoneRoutedDirectly;

    /// <summary><c>lb_zone_routing_sampled</c>: picks in the own zone, where some stay.</summary>
    public Cell ZoneSampled;

    /// <summary><c>lb_zone_routing_cross_zone</c>: picks in another zone.</summary>
    public Cell ZoneCrossed;

    /// <summary><c>upstream_cx_connect_fail</c>, timeouts included.</summary>
    public Cell ConnectFailures;

    /// <summary><c>upstream_cx_connect_timeout</c>.</summary>
    public Cell ConnectTimeouts;

    /// <summary><c>upstream_cx_connect_attempts_exceeded</c>: connections given up after as many attempts as there may be.</summary>
    public Cell ConnectAttemptsExceeded;

    /// <summary><c>upstream_cx_none_healthy</c>: connections that were not made because no host may be used.</summary>
    public Cell NoneHealthy;

    /// <summary><c>upstream_cx_tx_bytes_total</c>, of connections that carry no requests.</summary>
    public Cell BytesSent;

    /// <summary><c>upstream_cx_rx_bytes_total</c>, of connections that carry no requests.</summary>
    public Cell BytesReceived;

    /// <summary>Connections that <c>tcp_proxy</c> closed for <c>idle_timeout</c>.</summary>
    public Cell IdleTimeouts;

    /// <summary>Connections that <c>tcp_proxy</c> closed for <c>max_downstream_connection_duration</c>.</summary>
    public Cell MaxDurationReached;

    /// <summary><c>ssl.handshake</c>: connections on which TLS is spoken.</summary>
    public Cell TlsHandshakes;

    /// <summary><c>ssl.connection_error</c>, <c>ssl.fail_verify_error</c> and <c>ssl.fail_verify_san</c>: connections that are none because TLS failed.</summary>
    public Cell TlsFailures;

    /// <summary><c>upstream_cx_max_requests</c>: connections closed for <c>max_requests_per_connection</c>.</summary>
    public Cell MaxRequestsReached;

    /// <summary><c>upstream_cx_overflow</c>: requests that found all connections in use.</summary>
    public Cell ConnectionOverflow;

    /// <summary><c>upstream_rq_pending_total</c>: requests that had to wait.</summary>
    public Cell PendingTotal;

    /// <summary><c>upstream_rq_pending_overflow</c>: requests that were refused.</summary>
    public Cell PendingOverflow;

    /// <summary><c>upstream_rq_retry_overflow</c>: retries that were refused.</summary>
    public Cell RetryOverflow;

    /// <summary><c>retry_or_shadow_abandoned</c>: retries that were not made because the request's body had not been kept.</summary>
    public Cell RetryOrShadowAbandoned;

    /// <summary><c>upstream_internal_redirect_succeeded_total</c>: redirects that were followed here.</summary>
    public Cell InternalRedirectsSucceeded;

    /// <summary><c>upstream_internal_redirect_failed_total</c>: redirects that the caller got although the route wanted them followed.</summary>
    public Cell InternalRedirectsFailed;

    /// <summary><c>original_dst_host_invalid</c>: headers that should have named a destination and did not.</summary>
    public Cell OriginalDestinationInvalid;

    /// <summary>What has become of requests.</summary>
    public ClusterRequestCounts Requests { get; } = new();

    /// <summary>One number.</summary>
    internal struct Cell
    {
        private long _value;

        public readonly long Value => Volatile.Read(in _value);

        public void Increment() => Interlocked.Increment(ref _value);

        public void Add(long count) => Interlocked.Add(ref _value, count);

        public void Decrement() => Interlocked.Decrement(ref _value);
    }
}
