namespace Bookinfo.Hosting;

/// <summary>Which headers of a request travel on to the next service: traces break, and rules on <c>end-user</c> do not match, without them.</summary>
/// <remarks>The list is Istio's "trace context propagation" for Bookinfo, application headers included.</remarks>
internal static class ForwardedHeaders
{
    /// <summary>What tracing systems need, in every one of their dialects.</summary>
    public static IReadOnlyList<string> Tracing { get; } =
    [
        "x-request-id",
        "x-ot-span-context",
        "x-datadog-trace-id",
        "x-datadog-parent-id",
        "x-datadog-sampling-priority",
        "traceparent",
        "tracestate",
        "x-cloud-trace-context",
        "grpc-trace-bin",
        "x-b3-traceid",
        "x-b3-spanid",
        "x-b3-parentspanid",
        "x-b3-sampled",
        "x-b3-flags",
        "sw8",
        "user-agent",
    ];

    /// <summary>What productpage forwards; it sets <c>end-user</c> itself, from its session, so that nobody can claim one.</summary>
    public static IReadOnlyList<string> ProductPage { get; } = [.. Tracing, "cookie", "authorization", "jwt"];

    /// <summary>What the services behind productpage forward.</summary>
    public static IReadOnlyList<string> Inner { get; } = [.. Tracing, "end-user", "cookie", "authorization", "jwt"];

    public static void Forward(this IHeaderDictionary incoming, HttpRequestMessage outgoing, IReadOnlyList<string> names)
    {
        foreach (var name in names)
        {
            if (incoming.TryGetValue(name, out var values))
            {
                outgoing.Headers.TryAddWithoutValidation(name, values.ToString());
            }
        }
    }
}
