using System.Collections.Frozen;

namespace Mesh.DataPlane.Inbound.Http;

/// <summary>Which <c>x-envoy-*</c> headers are taken off a request, by whom it comes from; the lists are Envoy's.</summary>
internal static class EnvoyHeaders
{
    public const string Internal = "x-envoy-internal";

    public const string ExternalAddress = "x-envoy-external-address";

    // What only this process says, and what proxies tell each other of themselves: whoever sends it may have made it up.
    private static readonly FrozenSet<string> NeverTaken = Set(Internal, "x-envoy-peer-metadata", "x-envoy-peer-metadata-id");

    // What governs retries and timeouts of the way, or is believed by logs and matchers: an application that copies headers outward would pass it on.
    private static readonly FrozenSet<string> OfInternalRequests = Set(
        "x-envoy-retriable-status-codes",
        "x-envoy-retriable-header-names",
        "x-envoy-retry-on",
        "x-envoy-retry-grpc-on",
        "x-envoy-max-retries",
        "x-envoy-upstream-alt-stat-name",
        "x-envoy-upstream-rq-timeout-ms",
        "x-envoy-upstream-rq-per-try-timeout-ms",
        "x-envoy-upstream-stream-duration-ms",
        "x-envoy-upstream-rq-timeout-alt-response",
        "x-envoy-expected-rq-timeout-ms",
        "x-envoy-force-trace",
        "x-envoy-ip-tags",
        "x-envoy-original-url",
        "x-envoy-original-path",
        "x-envoy-original-host",
        "x-envoy-hedge-on-per-try-timeout",
        "x-envoy-overloaded",
        "x-envoy-local-overloaded");

    private static readonly FrozenSet<string> OfInnerRequests = Set(
        "x-envoy-decorator-operation", "x-envoy-downstream-service-cluster", "x-envoy-downstream-service-node", ExternalAddress);

    private static readonly FrozenSet<string> All = Set([.. NeverTaken, .. OfInternalRequests, .. OfInnerRequests]);

    /// <summary>Whether there is anybody whose header of that name must not reach filters and application.</summary>
    public static bool MayBeRemoved(string name) => All.Contains(name);

    /// <summary>Whether a header must not reach filters and application.</summary>
    /// <param name="name">The header.</param>
    /// <param name="isInternal">The request comes from an address that is named as internal.</param>
    /// <param name="isEdge">It comes from outside, and this process is the first to say so.</param>
    public static bool IsRemoved(string name, bool isInternal, bool isEdge)
        => NeverTaken.Contains(name) || (!isInternal && OfInternalRequests.Contains(name)) || (isEdge && OfInnerRequests.Contains(name));

    private static FrozenSet<string> Set(params string[] names) => names.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
}
