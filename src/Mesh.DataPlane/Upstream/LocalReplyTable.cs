using System.Net;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Inbound.Http;

namespace Mesh.DataPlane.Upstream;

/// <summary>
/// The contract: every cause for which the mesh answers itself, with what callers get for it. <c>docs/failures.md</c> is this table, which a test
/// holds it to, and each row has a test that brings it about.
/// </summary>
internal static class LocalReplyTable
{
    private const HttpStatusCode AsWritten = HttpStatusCode.OK;
    private const string Reason = "<reason>";

    /// <summary>No host, no route, no cluster.</summary>
    public static LocalReplyRow[] Routing { get; } =
    [
        new("no virtual host or no route matches", LocalReply.NoRoute),
        new("a name of the mesh for which the control plane has nothing, or has not answered", LocalReply.NoConfiguration("<host>", Reason)),
        new("the route's cluster does not exist", LocalReply.NoCluster(HttpStatusCode.ServiceUnavailable)) { Configured = "cluster_not_found_response_code" },
        new("a `directResponse` or a `redirect`", LocalReply.DirectResponse(AsWritten)) { Configured = "as written" },
        new("the route's action is one that this data plane does not have", LocalReply.UnsupportedAction("<action>")),
        new("the route makes of the request what cannot be sent", LocalReply.InvalidRequest("<what>")),
        new("the request's own target has a space or a control character", LocalReply.InvalidTarget),
        new("an outside host under REGISTRY_ONLY, plain HTTP", LocalReply.BlackHole),
    ];

    /// <summary>No host of the cluster, no connection, no answer.</summary>
    public static LocalReplyRow[] Hosts { get; } =
    [
        new("no host that may be used", LocalReply.NoHealthyUpstream),
        new("the host that the caller names has no address", LocalReply.UnresolvedDestination(Reason)),
        new("too many such hosts at a time", LocalReply.TooManyDestinations),
        new("the control plane sheds load (`drop_overloads`)", LocalReply.DropOverload),
        new("a circuit breaker is open", LocalReply.Overflow),
        new("the connection cannot be made", LocalReply.ConnectionFailure(Reason)),
        new("the connection is not there within `connectTimeout`", LocalReply.ConnectionTimeout),
        new("the TLS handshake fails, or the certificate is not trusted", LocalReply.TlsFailure(Reason)),
        new("the certificate is trusted and not that of the host", LocalReply.NameCheckFailure),
        new("the connection ends before the response begins", LocalReply.ConnectionTermination),
        new("the stream is reset before the response begins", LocalReply.RemoteReset),
        new("the stream is refused", LocalReply.RemoteRefusedStream),
        new("the upstream breaks the protocol", LocalReply.ProtocolError),
        new("the headers of the response are too long or too many", LocalReply.ResponseHeadersTooLarge),
        new("another try was worth it, and all are used up", LocalReply.ConnectionTermination with { Flags = "UC,URX" }) { Configured = "as the last failure" },
        new("another try was worth it, and there is no budget for it", LocalReply.ConnectionTermination with { Flags = "UC,UO" }) { Configured = "as the last failure" },
    ];

    /// <summary>Too late.</summary>
    public static LocalReplyRow[] Clocks { get; } =
    [
        new("the route's `timeout`", LocalReply.ResponseTimeout),
        new("`perTryTimeout` of the last try", LocalReply.PerTryTimeout),
        new("nothing moved in the last try (`per_try_idle_timeout`)", LocalReply.PerTryIdleTimeout),
        new("nothing moved on the stream", LocalReply.StreamIdleTimeout(requestIsComplete: true)),
        new("the same while the request was still going out", LocalReply.StreamIdleTimeout(requestIsComplete: false)),
        new("`max_stream_duration` of route or listener", LocalReply.MaxStreamDuration(requestIsComplete: true)),
        new("the same while the request was still going out", LocalReply.MaxStreamDuration(requestIsComplete: false)),
        new("the cluster's `max_stream_duration`", LocalReply.UpstreamMaxStreamDuration(requestIsComplete: true)),
        new("the same while the request was still going out", LocalReply.UpstreamMaxStreamDuration(requestIsComplete: false)),
    ];

    /// <summary>What filters answer.</summary>
    public static LocalReplyRow[] Filters { get; } =
    [
        new("a fault's abort", FilterReplies.FaultAbort(503, null)) { Configured = "as written" },
        new("a fault's abort after its delay", FilterReplies.FaultAbort(503, null) with { Flags = "DI,FI" }) { Configured = "as written" },
        new("a fault's abort with a gRPC status", FilterReplies.FaultAbort(null, 14)) { Configured = "gRPC as written" },
        new("local rate limit", FilterReplies.LocalRateLimited(429, asResourceExhausted: false)) { Configured = "status" },
        new("local rate limit, `rate_limited_as_resource_exhausted`", FilterReplies.LocalRateLimited(429, asResourceExhausted: true)) { Configured = "status" },
        new("the request's body is longer than `max_request_bytes`", FilterReplies.PayloadTooLarge),
        new("a preflight request that CORS answers", FilterReplies.CorsPreflight),
        new("a filter threw", FilterReplies.FilterThrew("<filter>", typeof(InvalidOperationException))),
        new("an authorization policy says no", FilterReplies.RbacDenied("<policy>")),
        new("a token is missing", FilterReplies.JwtDenied("Jwt is missing", "<uri>", isMissing: true)),
        new("a token is not valid", FilterReplies.JwtDenied("Jwt is expired", "<uri>", isMissing: false)),
        new("a token is for another audience", FilterReplies.JwtAudienceDenied("<uri>")),
        new("a route asks for a token requirement that there is not", FilterReplies.JwtRequirementUnknown("<name>", "<names>")),
        new("an external authorizer says no", FilterReplies.ExtAuthzDenied(403, "<its body>")) { Configured = "the authorizer's" },
        new("the external authorizer cannot be asked", FilterReplies.ExtAuthzError(403)) { Configured = "status_on_error" },
        new("the external authorizer changes what it may not, or makes the request none", FilterReplies.ExtAuthzInvalid),
        new("a rate-limit service says no", FilterReplies.RateLimited) { IsNotYet = true },
        new("the rate-limit service cannot be asked, and `failure_mode_deny`", FilterReplies.RateLimitError(500)) { Configured = "status_on_error", IsNotYet = true },
    ];

    /// <summary>What a server of the mesh answers to its callers before any filter; what filters answer is the same at both ends.</summary>
    public static LocalReplyRow[] Inbound { get; } =
    [
        new("the path is none: a fragment, a NUL, or escaped slashes under `REJECT_REQUEST`", InboundReplies.PathRejected),
        new("escaped slashes under `UNESCAPE_AND_REDIRECT`", InboundReplies.PathRedirected("<path>")),
        new("the path leads to one route as it stands and to another as the application reads it", InboundReplies.PathAmbiguous),
        new("the headers are longer than `max_request_headers_kb`", InboundReplies.HeadersTooLarge),
        new("more headers than `max_headers_count`", InboundReplies.TooManyHeaders),
        new("a header with an underscore under `REJECT_REQUEST`", InboundReplies.Underscore),
        new("a header of `strict_check_headers` with a value that is none", InboundReplies.StrictCheckFailed("<name>", "<value>")),
        new("`content-length` beside `transfer-encoding`", InboundReplies.LengthAndChunked),
        new("a transfer coding other than `chunked`", InboundReplies.TransferCoding),
        new("no virtual host or no route of the listener matches", LocalReply.NoRoute),
        new("a `direct_response` or a `redirect` of the listener", LocalReply.DirectResponse(AsWritten)) { Configured = "as written" },
        new("the route's action is one that a server does not have", LocalReply.UnsupportedAction("<action>")),
    ];

    /// <summary>Responses of upstreams that come through, with a word about the way.</summary>
    public static FlaggedResponseRow[] Flagged { get; } =
    [
        new("a fault delayed the request", "DI"),
        new("the response was worth another try, and all are used up", "URX"),
        new("the response was worth another try, and there is no budget for it", "UO"),
    ];

    /// <summary>What has no HTTP answer.</summary>
    public static FailureRow[] Exceptions { get; } =
    [
        new("the caller's token, or the time limit of its `HttpClient`", typeof(TaskCanceledException), null, "DC", LocalReply.CallerGone),
        new("an outside host under REGISTRY_ONLY, `https`", typeof(HttpRequestException), HttpRequestError.ConnectionError, "", LocalReply.DirectResponseDetails),
        new("the request's own content cannot be read", typeof(HttpRequestException), HttpRequestError.Unknown, "", ""),
        new("a WebSocket over HTTP/2 to a cluster of HTTP/1.1", typeof(HttpRequestException), HttpRequestError.ExtendedConnectNotSupported, "", ""),
        new("a clock of the table above after the headers: from the body's stream", typeof(HttpIOException), HttpRequestError.ResponseEnded, "UT", LocalReply.LateReset),
        new("the upstream ends the response early: from the body's stream", typeof(HttpIOException), HttpRequestError.ResponseEnded, "UC", LocalReply.LateReset),
    ];

    /// <summary>Every row.</summary>
    public static IEnumerable<LocalReplyRow> All => [.. Routing, .. Hosts, .. Clocks, .. Filters];
}
