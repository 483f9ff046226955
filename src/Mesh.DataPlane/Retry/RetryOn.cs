namespace Mesh.DataPlane.Retry;

/// <summary>The conditions of <c>retry_on</c>; names as Envoy writes them.</summary>
[Flags]
internal enum RetryOn
{
    None = 0,

    /// <summary><c>5xx</c>: any 5xx, or no response at all.</summary>
    ServerError = 1 << 0,

    /// <summary><c>gateway-error</c>: 502, 503, 504.</summary>
    GatewayError = 1 << 1,

    /// <summary><c>reset</c>: no response at all.</summary>
    Reset = 1 << 2,

    /// <summary><c>reset-before-request</c>: no response, and nothing of the request has been sent.</summary>
    ResetBeforeRequest = 1 << 3,

    /// <summary><c>connect-failure</c>.</summary>
    ConnectFailure = 1 << 4,

    /// <summary><c>refused-stream</c>: HTTP/2's REFUSED_STREAM.</summary>
    RefusedStream = 1 << 5,

    /// <summary><c>retriable-4xx</c>: 409.</summary>
    Retriable4xx = 1 << 6,

    /// <summary><c>retriable-status-codes</c>.</summary>
    RetriableStatusCodes = 1 << 7,

    /// <summary><c>retriable-headers</c>.</summary>
    RetriableHeaders = 1 << 8,

    /// <summary><c>envoy-ratelimited</c>: even though the response carries <c>x-envoy-ratelimited</c>.</summary>
    EnvoyRateLimited = 1 << 9,

    /// <summary><c>http3-post-connect-failure</c>; never true here, since no HTTP/3 is spoken upstream.</summary>
    Http3PostConnectFailure = 1 << 10,

    GrpcCancelled = 1 << 11,
    GrpcDeadlineExceeded = 1 << 12,
    GrpcInternal = 1 << 13,
    GrpcResourceExhausted = 1 << 14,
    GrpcUnavailable = 1 << 15,

    Grpc = GrpcCancelled | GrpcDeadlineExceeded | GrpcInternal | GrpcResourceExhausted | GrpcUnavailable,
}
