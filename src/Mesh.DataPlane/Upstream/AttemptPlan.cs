using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Timeouts;
using Mesh.Xds.Grpc;

namespace Mesh.DataPlane.Upstream;

/// <summary>How long a request may take and when it is tried again: what the route says, and what the request's own headers change.</summary>
internal sealed class AttemptPlan
{
    /// <summary>One try that may take as long as it likes.</summary>
    public static AttemptPlan Once { get; } = new();

    // Whose settings it was made of.
    private ListenerSettings? _listener;
    private ClusterRequestPolicy? _cluster;

    public TimeSpan RouteTimeout { get; init; }

    public TimeSpan PerTryTimeout { get; init; }

    public TimeSpan PerTryIdleTimeout { get; init; }

    public TimeSpan IdleTimeout { get; init; }

    public TimeSpan MaxStreamDuration { get; init; }

    /// <summary>The cluster's, of each try.</summary>
    public TimeSpan UpstreamMaxStreamDuration { get; init; }

    /// <summary>How long upstreams are told that they are waited for, before anything of it has passed; zero when they are told nothing.</summary>
    public TimeSpan ExpectedTimeout { get; init; }

    /// <summary>They are told by <c>x-envoy-expected-rq-timeout-ms</c>.</summary>
    public bool TellsTimeout { get; init; }

    /// <summary>They are told by <c>grpc-timeout</c>.</summary>
    public bool WritesGrpcTimeout { get; init; }

    /// <summary><see langword="null"/> when nothing is ever retried.</summary>
    public RetryPolicy? Retry { get; init; }

    public RetryOn On { get; init; }

    public uint NumRetries { get; init; }

    public bool IsHedged { get; init; }

    /// <summary>What the request's headers ask beside; <see langword="null"/> when they ask nothing.</summary>
    public ControlHeaders? Headers { get; init; }

    public bool HasClock
        => RouteTimeout > TimeSpan.Zero || PerTryTimeout > TimeSpan.Zero || PerTryIdleTimeout > TimeSpan.Zero
            || IdleTimeout > TimeSpan.Zero || MaxStreamDuration > TimeSpan.Zero || UpstreamMaxStreamDuration > TimeSpan.Zero;

    /// <summary>The plan of a request; one object for all requests of a route whose plan does not depend on them.</summary>
    public static AttemptPlan Of(
        RouteEntry route, ClusterRequestPolicy? cluster, ListenerSettings listener, HttpRequestMessage request, ControlHeaders? headers)
    {
        var policy = route.Policy;
        if (headers is not null
            || listener.RespectsExpectedTimeout
            || (cluster?.Retry ?? policy.Retry) is { RequestHeaders.Length: > 0 }
            || (policy.Timeouts is { MaxGrpcTimeout: not null } or { GrpcTimeoutHeaderMax: not null } && LocalReplies.IsGrpc(request)))
        {
            return Of(policy, cluster, listener, request, headers);
        }

        if (route.Plan is { } plan && plan._listener == listener && ReferenceEquals(plan._cluster, cluster))
        {
            return plan;
        }

        // Whoever comes at the same time makes an equal one.
        plan = Of(policy, cluster, listener, request, headers);
        plan._listener = listener;
        plan._cluster = cluster;
        return route.Plan = plan;
    }

    private static AttemptPlan Of(
        RoutePolicy policy, ClusterRequestPolicy? cluster, ListenerSettings listener, HttpRequestMessage request, ControlHeaders? headers)
    {
        var timeouts = policy.Timeouts;
        var retry = cluster?.Retry ?? policy.Retry;
        var streamDuration = headers?.StreamDuration ?? cluster?.MaxStreamDuration ?? TimeSpan.Zero;
        var writesGrpcTimeout = false;
        var route = timeouts?.Route ?? TimeSpan.Zero;
        var duration = timeouts?.MaxStreamDuration ?? listener.MaxStreamDuration;
        var idle = timeouts?.Idle ?? listener.StreamIdleTimeout;
        if (timeouts is { MaxGrpcTimeout: not null } or { GrpcTimeoutHeaderMax: not null } && LocalReplies.IsGrpc(request))
        {
            var asked = GrpcTimeoutOf(request);
            writesGrpcTimeout = timeouts is { MaxGrpcTimeout: not null, MaxStreamDuration: null, GrpcTimeoutHeaderMax: null };
            if (timeouts.MaxGrpcTimeout is { } maxRoute)
            {
                // Without the header the caller is ready to wait for ever.
                route = Less(Capped(asked ?? TimeSpan.Zero, maxRoute), timeouts.GrpcTimeoutOffset);
            }

            if (timeouts.GrpcTimeoutHeaderMax is { } maxDuration && asked is { } deadline)
            {
                duration = Less(Capped(deadline, maxDuration), timeouts.GrpcTimeoutHeaderOffset);
            }
        }

        if (listener.RespectsExpectedTimeout && ExpectedTimeoutOf(request) is { } expectedBefore)
        {
            route = expectedBefore;
        }
        else
        {
            route = headers?.Timeout ?? route;
        }

        var tellsTimeout = !listener.SuppressEnvoyHeaders;
        if (headers is null && retry is null)
        {
            return new AttemptPlan
            {
                RouteTimeout = route,
                IdleTimeout = idle,
                MaxStreamDuration = duration,
                UpstreamMaxStreamDuration = streamDuration,
                ExpectedTimeout = tellsTimeout || writesGrpcTimeout ? route : TimeSpan.Zero,
                TellsTimeout = tellsTimeout && route > TimeSpan.Zero,
                WritesGrpcTimeout = writesGrpcTimeout && route > TimeSpan.Zero,
            };
        }

        var perTry = headers?.PerTryTimeout ?? retry?.PerTryTimeout ?? TimeSpan.Zero;
        if (retry is null && headers is { RetryOn: not RetryOn.None })
        {
            retry = RetryPolicy.ByHeadersOnly;
        }

        if (retry is { RequestHeaders.Length: > 0 } && !AnyMatches(retry, request))
        {
            retry = null;
        }

        // Envoy: a try that may take as long as all of them together needs no clock of its own.
        var oneTry = route > TimeSpan.Zero && perTry >= route ? TimeSpan.Zero : perTry;
        var hedges = headers?.HedgeOnPerTryTimeout ?? policy.Hedge?.OnPerTryTimeout ?? false;
        var expected = hedges || oneTry == TimeSpan.Zero ? route : oneTry;
        var on = (retry?.On ?? RetryOn.None) | (headers?.RetryOn ?? RetryOn.None);
        var retries = headers?.MaxRetries ?? retry?.NumRetries ?? 0;
        var tries = retry is not null && on != RetryOn.None && retries > 0;
        return new AttemptPlan
        {
            RouteTimeout = route,
            PerTryTimeout = oneTry,
            PerTryIdleTimeout = retry?.PerTryIdleTimeout ?? TimeSpan.Zero,
            IdleTimeout = idle,
            MaxStreamDuration = duration,
            UpstreamMaxStreamDuration = streamDuration,
            ExpectedTimeout = tellsTimeout || writesGrpcTimeout ? expected : TimeSpan.Zero,
            TellsTimeout = tellsTimeout && expected > TimeSpan.Zero,
            WritesGrpcTimeout = writesGrpcTimeout && expected > TimeSpan.Zero,
            Retry = tries ? retry : null,
            On = on,
            NumRetries = tries ? retries : 0,
            IsHedged = tries && perTry > TimeSpan.Zero && hedges,
            Headers = headers,
        };
    }

    // An extended or plain upgrade is complete when it ends: Envoy's route timeout, which counts from there, never begins.
    public bool StartsRouteTimeout(HttpRequestMessage request)
        => RouteTimeout > TimeSpan.Zero && request.Method != HttpMethod.Connect && !request.Headers.NonValidated.Contains("Upgrade");

    private static bool AnyMatches(RetryPolicy retry, HttpRequestMessage request)
    {
        var uri = request.RequestUri!;
        var view = new Matching.RequestView(uri.PathAndQuery, request.Method.Method, uri.IdnHost, uri.Scheme, HttpRequestHeaderReader.Instance, request);
        foreach (var matcher in retry.RequestHeaders)
        {
            if (matcher.IsMatch(view))
            {
                return true;
            }
        }

        return false;
    }

    private static TimeSpan? ExpectedTimeoutOf(HttpRequestMessage request)
        => request.Headers.NonValidated.TryGetValues(Timeouts.ExpectedTimeout.Header, out var values)
            && uint.TryParse(values.ToString(), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var milliseconds)
            ? TimeSpan.FromMilliseconds(milliseconds)
            : null;

    private static TimeSpan? GrpcTimeoutOf(HttpRequestMessage request)
        => request.Headers.NonValidated.TryGetValues("grpc-timeout", out var values) && GrpcTimeout.TryParse(values.ToString(), out var timeout) ? timeout : null;

    // A maximum of zero leaves the caller's value as it is.
    private static TimeSpan Capped(TimeSpan asked, TimeSpan max) => max > TimeSpan.Zero && (asked > max || asked == TimeSpan.Zero) ? max : asked;

    private static TimeSpan Less(TimeSpan timeout, TimeSpan offset) => offset > TimeSpan.Zero && timeout > offset ? timeout - offset : timeout;
}
