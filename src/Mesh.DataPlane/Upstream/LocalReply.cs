using System.Net;
using Mesh.DataPlane.Tls;

namespace Mesh.DataPlane.Upstream;

/// <summary>
/// A reply that the mesh makes itself: Envoy's status, response flag, response-code details and body for one cause. Those of the router stand here, those
/// of filters in <see cref="Filters.FilterReplies"/>, and all of them in <see cref="LocalReplyTable"/>.
/// </summary>
internal sealed record LocalReply(HttpStatusCode Status, string Flags, string Details, string Body)
{
    public const string DirectResponseDetails = "direct_response";

    /// <summary>Envoy's details for a caller that has left.</summary>
    public const string CallerGone = "downstream_remote_disconnect";

    /// <summary>Envoy's details for a response that ends where it should not.</summary>
    public const string LateReset = "upstream_reset_after_response_started";

    private const string TimeoutBody = "upstream request timeout";

    /// <summary>Headers that the reply carries beside those of its body.</summary>
    public (string Name, string Value)[] Headers { get; init; } = [];

    /// <summary>The status for a gRPC caller, where it is not the one that follows from <see cref="Status"/>.</summary>
    public int? GrpcStatus { get; init; }

    /// <summary>The kind of <see cref="HttpRequestException"/> for callers that want exceptions, where .NET has one for the cause.</summary>
    public HttpRequestError Error { get; init; }

    /// <summary>What the configuration wants answered, which is no failure: <c>direct_response</c>, redirects, preflight.</summary>
    public bool IsAnswer { get; init; }

    /// <summary>The route's timeout, over all tries.</summary>
    public static LocalReply ResponseTimeout { get; } = new(HttpStatusCode.GatewayTimeout, "UT", "response_timeout", TimeoutBody);

    /// <summary>One try took too long, and there is no other.</summary>
    public static LocalReply PerTryTimeout { get; } = new(HttpStatusCode.GatewayTimeout, "UT", "upstream_per_try_timeout", TimeoutBody);

    /// <summary>Nothing moved in one try.</summary>
    public static LocalReply PerTryIdleTimeout { get; } = new(HttpStatusCode.GatewayTimeout, "SI", "upstream_per_try_idle_timeout", TimeoutBody);

    /// <summary>Nothing moved on the stream: 408 while the request was still on its way, else 504.</summary>
    public static LocalReply StreamIdleTimeout(bool requestIsComplete)
        => new(requestIsComplete ? HttpStatusCode.GatewayTimeout : HttpStatusCode.RequestTimeout, "SI", "stream_idle_timeout", "stream timeout");

    /// <summary><c>max_stream_duration</c>: the only timeout that a gRPC caller sees as DEADLINE_EXCEEDED.</summary>
    public static LocalReply MaxStreamDuration(bool requestIsComplete)
        => new(requestIsComplete ? HttpStatusCode.GatewayTimeout : HttpStatusCode.RequestTimeout, "DT", "max_duration_timeout", "downstream duration timeout")
        {
            GrpcStatus = 4,
        };

    /// <summary>The cluster's <c>max_stream_duration</c>, and there is no other try.</summary>
    public static LocalReply UpstreamMaxStreamDuration(bool requestIsComplete)
        => new(
            requestIsComplete ? HttpStatusCode.GatewayTimeout : HttpStatusCode.RequestTimeout,
            "UMSDR",
            "upstream_max_stream_duration_reached",
            "upstream max stream duration reached");

    /// <summary>What the route makes of the request would break its request line or a header: it is not sent.</summary>
    public static LocalReply InvalidRequest(string what)
        => new(HttpStatusCode.BadRequest, "", "route_makes_invalid_request", $"the route makes {what} of the request into something that cannot be sent");

    /// <summary>The caller's own target would break the request line.</summary>
    public static LocalReply InvalidTarget { get; }
        = new(HttpStatusCode.BadRequest, "", "http1.invalid_url", "the target of the request contains a space or a control character and cannot be sent");

    /// <summary>No virtual host or no route.</summary>
    public static LocalReply NoRoute { get; } = new(HttpStatusCode.NotFound, "NR", "route_not_found", "");

    /// <summary>The cluster exists and has no host that may be used.</summary>
    public static LocalReply NoHealthyUpstream { get; } = new(HttpStatusCode.ServiceUnavailable, "UH", "no_healthy_upstream", "no healthy upstream");

    /// <summary>The name that the caller asked for is the destination, and has no address.</summary>
    public static LocalReply UnresolvedDestination(string reason)
        => new(HttpStatusCode.ServiceUnavailable, "DF", "dns_resolution_failure{" + reason.Replace(' ', '_') + "}", $"DNS resolution failure: {reason}")
        {
            Error = HttpRequestError.NameResolutionError,
        };

    /// <summary>More addresses have been asked for at a time than a cluster of original destinations keeps.</summary>
    public static LocalReply TooManyDestinations { get; }
        = new(HttpStatusCode.ServiceUnavailable, "UO", "original_dst_host_overflow", "too many original destinations at a time");

    /// <summary>The control plane has some of the cluster's requests dropped (<c>drop_overloads</c>).</summary>
    public static LocalReply DropOverload { get; } = new(HttpStatusCode.ServiceUnavailable, "DO", "drop_overload", "drop overload")
    {
        Headers = [("x-envoy-drop-overload", "true")],
    };

    /// <summary>Istio's REGISTRY_ONLY: the virtual host <c>block_all</c>. Envoy knows it for a direct response; to the caller it is a refusal.</summary>
    public static LocalReply BlackHole { get; } = new(HttpStatusCode.BadGateway, "", DirectResponseDetails, "") { Error = HttpRequestError.ConnectionError };

    /// <summary>The route names a cluster that does not exist.</summary>
    public static LocalReply NoCluster(HttpStatusCode status) => new(status, "NC", "cluster_not_found", "");

    /// <summary>A name of the mesh for which there is no usable configuration: never a reason to ask DNS.</summary>
    public static LocalReply NoConfiguration(string host, string reason)
        => new(HttpStatusCode.ServiceUnavailable, "NR", "no_configuration", $"the mesh has no configuration for {host}: {reason}");

    /// <summary>The connection was not made within the cluster's <c>connect_timeout</c>.</summary>
    public static LocalReply ConnectionTimeout { get; } = Reset(HttpStatusCode.ServiceUnavailable, "UF", "connection timeout") with { Error = HttpRequestError.ConnectionError };

    /// <summary>The connection ended before the response began.</summary>
    public static LocalReply ConnectionTermination { get; } = Reset(HttpStatusCode.ServiceUnavailable, "UC", "connection termination") with { Error = HttpRequestError.ResponseEnded };

    /// <summary>The stream was reset before the response began.</summary>
    public static LocalReply RemoteReset { get; } = Reset(HttpStatusCode.ServiceUnavailable, "UR", "remote reset") with { Error = HttpRequestError.HttpProtocolError };

    /// <summary>The upstream did not even look at the request: <c>REFUSED_STREAM</c>.</summary>
    public static LocalReply RemoteRefusedStream { get; }
        = Reset(HttpStatusCode.ServiceUnavailable, "UR", "remote refused stream reset") with { Error = HttpRequestError.HttpProtocolError };

    /// <summary>The upstream broke the protocol.</summary>
    public static LocalReply ProtocolError { get; } = Reset(HttpStatusCode.BadGateway, "UPE", "protocol error") with { Error = HttpRequestError.InvalidResponse };

    /// <summary>The upstream's response has longer headers than are taken, or more: Envoy's codec calls that a protocol error as well.</summary>
    public static LocalReply ResponseHeadersTooLarge { get; } = ProtocolError with { Error = HttpRequestError.ConfigurationLimitExceeded };

    /// <summary>A circuit breaker is open.</summary>
    public static LocalReply Overflow { get; } = Reset(HttpStatusCode.ServiceUnavailable, "UO", "overflow") with { Headers = [("x-envoy-overloaded", "true")] };

    /// <summary>The connection could not be made.</summary>
    public static LocalReply ConnectionFailure(string reason)
        => Reset(HttpStatusCode.ServiceUnavailable, "UF", "remote connection failure", reason) with { Error = HttpRequestError.ConnectionError };

    /// <summary>The connection was made and TLS on it was not: the handshake failed, or the certificate is not one that is trusted.</summary>
    public static LocalReply TlsFailure(string reason)
        => Reset(HttpStatusCode.ServiceUnavailable, "UF", "remote connection failure", $"TLS_error:|{reason}:TLS_error_end") with
        {
            Error = HttpRequestError.SecureConnectionError,
        };

    /// <summary>The certificate is trusted, and is not that of the name that was called.</summary>
    public static LocalReply NameCheckFailure { get; } = TlsFailure(TlsErrors.WrongName);

    /// <summary>A route action that this data plane does not have.</summary>
    public static LocalReply UnsupportedAction(string action)
        => new(HttpStatusCode.NotImplemented, "NR", "unsupported_route_action", $"the route's action '{action}' is not supported by this data plane");

    /// <summary>A route's <c>direct_response</c>.</summary>
    public static LocalReply DirectResponse(HttpStatusCode status) => new(status, "", DirectResponseDetails, "") { IsAnswer = true };

    /// <summary>A reply that a filter has made.</summary>
    internal static LocalReply Of(Mesh.Filters.FilterReply reply) => new((HttpStatusCode)reply.Status, reply.Flags, reply.Details, reply.Body)
    {
        Headers = [.. reply.Headers.Select(h => (h.Key, h.Value))],
        GrpcStatus = reply.GrpcStatus,
        Error = reply.Error,
    };

    // Envoy's router: the body tells both reasons, the details too, with white space replaced.
    private static LocalReply Reset(HttpStatusCode status, string flags, string reason, string? transportFailure = null)
        => new(
            status,
            flags,
            "upstream_reset_before_response_started{" + (transportFailure is null ? reason : $"{reason}|{transportFailure}").Replace(' ', '_') + "}",
            "upstream connect error or disconnect/reset before headers. reset reason: " + reason
                + (transportFailure is null ? "" : ", transport failure reason: " + transportFailure));
}
