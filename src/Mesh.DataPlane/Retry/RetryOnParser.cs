namespace Mesh.DataPlane.Retry;

/// <summary>Reads the comma-separated lists of <c>retry_on</c>, <c>x-envoy-retry-on</c> and <c>x-envoy-retry-grpc-on</c>.</summary>
internal static class RetryOnParser
{
    private static readonly string[] Names =
    [
        "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "refused-stream", "retriable-4xx", "retriable-status-codes", "retriable-headers",
        "envoy-ratelimited", "http3-post-connect-failure", "cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
    ];

    /// <summary>The names of conditions, as they are written.</summary>
    public static IEnumerable<string> NamesOf(RetryOn conditions) => Names.Where(name => (conditions & Condition(name)) != 0);

    /// <summary>The known conditions; the others are appended to <paramref name="unknown"/>. Envoy passes over them as well.</summary>
    public static RetryOn Parse(ReadOnlySpan<char> text, List<string>? unknown = null)
    {
        var result = RetryOn.None;
        foreach (var range in text.Split(','))
        {
            var name = text[range].Trim();
            if (name.IsEmpty)
            {
                continue;
            }

            var condition = Condition(name);
            result |= condition;
            if (condition == RetryOn.None)
            {
                unknown?.Add(name.ToString());
            }
        }

        return result;
    }

    private static RetryOn Condition(ReadOnlySpan<char> name)
        => name switch
        {
            "5xx" => RetryOn.ServerError,
            "gateway-error" => RetryOn.GatewayError,
            "reset" => RetryOn.Reset,
            "reset-before-request" => RetryOn.ResetBeforeRequest,
            "connect-failure" => RetryOn.ConnectFailure,
            "refused-stream" => RetryOn.RefusedStream,
            "retriable-4xx" => RetryOn.Retriable4xx,
            "retriable-status-codes" => RetryOn.RetriableStatusCodes,
            "retriable-headers" => RetryOn.RetriableHeaders,
            "envoy-ratelimited" => RetryOn.EnvoyRateLimited,
            "http3-post-connect-failure" => RetryOn.Http3PostConnectFailure,
            "cancelled" => RetryOn.GrpcCancelled,
            "deadline-exceeded" => RetryOn.GrpcDeadlineExceeded,
            "internal" => RetryOn.GrpcInternal,
            "resource-exhausted" => RetryOn.GrpcResourceExhausted,
            "unavailable" => RetryOn.GrpcUnavailable,
            _ => RetryOn.None,
        };
}
