using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Mirroring;
using Mesh.DataPlane.Redirects;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Rewriting;
using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.DataPlane.Timeouts;

namespace Mesh.DataPlane.Routing;

/// <summary>
/// What a route does to a request beside choosing its cluster: each member belongs to one feature, compiled when the resource is decoded, and is
/// <see langword="null"/> where the route does not use the feature. Equal policies of a virtual host are one object.
/// </summary>
internal sealed record RoutePolicy
{
    /// <summary>Nothing beside the cluster.</summary>
    public static RoutePolicy None { get; } = new();

    /// <summary>How long requests may take; <see langword="null"/> when nothing is limited.</summary>
    public TimeoutPolicy? Timeouts { get; init; }

    public RetryPolicy? Retry { get; init; }

    public HedgePolicy? Hedge { get; init; }

    /// <summary>Upstreams see which attempt they got, as <c>x-envoy-attempt-count</c> (<c>include_request_attempt_count</c>).</summary>
    public bool CountsAttempts { get; init; }

    /// <summary>So does the caller, on the response (<c>include_attempt_count_in_response</c>).</summary>
    public bool TellsAttempts { get; init; }

    /// <summary>Upstreams see whether a retry follows a timeout, as <c>x-envoy-is-timeout-retry</c> (<c>include_is_timeout_retry_header</c>).</summary>
    public bool MarksTimeoutRetries { get; init; }

    /// <summary>What clusters of consistent hashing place requests by.</summary>
    public HashPolicies? HashPolicies { get; init; }

    /// <summary>How many bytes of a request's body are kept for another attempt or a mirror (Envoy's <c>per_request_buffer_limit_bytes</c>).</summary>
    public uint? BufferLimit { get; init; }

    /// <summary>What the route says to the listener's HTTP filters (<c>typed_per_filter_config</c>, <c>rate_limits</c>, <c>cors</c>).</summary>
    public RouteFilterConfigs? FilterConfigs { get; init; }

    /// <summary>Which circuit breakers count the requests (<c>RouteAction.priority</c>).</summary>
    public RoutingPriority Priority { get; init; }

    /// <summary>What is done to request headers, level by level in the order of evaluation.</summary>
    public HeaderMutations[]? RequestHeaders { get; init; }

    /// <summary>What is done to response headers, level by level in the order of evaluation.</summary>
    public HeaderMutations[]? ResponseHeaders { get; init; }

    /// <summary>Where copies of the requests go, by the names of clusters.</summary>
    public MirrorPolicy[]? Mirrors { get; init; }

    /// <summary>Which redirects of upstreams are followed here.</summary>
    public InternalRedirectPolicy? InternalRedirect { get; init; }

    /// <summary>What it says of the requests' spans.</summary>
    public RouteTracing? Tracing { get; init; }

    /// <summary>Another host or path.</summary>
    public Rewrite? Rewrite { get; init; }
}
