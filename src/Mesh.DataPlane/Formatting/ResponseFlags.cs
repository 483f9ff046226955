using System.Collections.Frozen;

namespace Mesh.DataPlane.Formatting;

/// <summary>Envoy's response flags: their short names, their long ones, and the bits that expressions know them by.</summary>
internal static class ResponseFlags
{
    /// <summary>In the order of their bits.</summary>
    public static IReadOnlyList<(string Short, string Long)> All { get; } =
    [
        ("LH", "FailedLocalHealthCheck"),
        ("UH", "NoHealthyUpstream"),
        ("UT", "UpstreamRequestTimeout"),
        ("LR", "LocalReset"),
        ("UR", "UpstreamRemoteReset"),
        ("UF", "UpstreamConnectionFailure"),
        ("UC", "UpstreamConnectionTermination"),
        ("UO", "UpstreamOverflow"),
        ("NR", "NoRouteFound"),
        ("DI", "DelayInjected"),
        ("FI", "FaultInjected"),
        ("RL", "RateLimited"),
        ("UAEX", "UnauthorizedExternalService"),
        ("RLSE", "RateLimitServiceError"),
        ("DC", "DownstreamConnectionTermination"),
        ("URX", "UpstreamRetryLimitExceeded"),
        ("SI", "StreamIdleTimeout"),
        ("IH", "InvalidEnvoyRequestHeaders"),
        ("DPE", "DownstreamProtocolError"),
        ("UMSDR", "UpstreamMaxStreamDurationReached"),
        ("RFCF", "ResponseFromCacheFilter"),
        ("NFCF", "NoFilterConfigFound"),
        ("DT", "DurationTimeout"),
        ("UPE", "UpstreamProtocolError"),
        ("NC", "NoClusterFound"),
        ("OM", "OverloadManagerTerminated"),
        ("DF", "DnsResolutionFailed"),
        ("DO", "DropOverload"),
        ("DR", "DownstreamRemoteReset"),
        ("UDO", "UnconditionalDropOverload"),
    ];

    private static readonly FrozenDictionary<string, int> Places = All.Select((f, i) => (f.Short, i)).ToFrozenDictionary(f => f.Short, f => f.i, StringComparer.Ordinal);

    public static bool IsKnown(string flag) => Places.ContainsKey(flag);

    public static bool Contains(string flags, string flag)
    {
        foreach (var range in flags.AsSpan().Split(','))
        {
            if (flags.AsSpan()[range].SequenceEqual(flag))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The sum of the bits; those of flags that Envoy does not know are left out.</summary>
    public static long Bits(string flags)
    {
        var bits = 0L;
        var places = Places.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var range in flags.AsSpan().Split(','))
        {
            bits |= places.TryGetValue(flags.AsSpan()[range], out var place) ? 1L << place : 0;
        }

        return bits;
    }

    /// <summary>The long names, with commas between.</summary>
    public static string Long(string flags)
        => string.Join(',', flags.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(f => Places.TryGetValue(f, out var place) ? All[place].Long : f));
}
