using System.Net.Http.Headers;

namespace Mesh.DataPlane.Mirroring;

/// <summary>
/// Takes a copy out of its original's trace (<c>trace_sampled: false</c>, which Istio sends with every mirror): whoever receives it reads that nobody
/// records the trace. What the framework itself would add starts no trace either, since a copy is sent outside the caller's activity.
/// </summary>
internal static class TraceContext
{
    private const string Parent = "traceparent";
    private const string B3 = "b3";
    private const string B3Sampled = "X-B3-Sampled";
    private const string B3Flags = "X-B3-Flags";

    // version "-" 32 hex digits "-" 16 hex digits "-" flags (W3C Trace Context).
    private const int FlagsOfParent = 53;

    public static void Unsample(HttpRequestHeaders headers)
    {
        var values = headers.NonValidated;
        if (values.TryGetValues(Parent, out var parent) && Unsampled(parent.ToString()) is { } unsampled)
        {
            headers.Remove(Parent);
            headers.TryAddWithoutValidation(Parent, unsampled);
        }

        if (headers.NonValidated.TryGetValues(B3, out var b3))
        {
            var single = UnsampledB3(b3.ToString());
            headers.Remove(B3);
            headers.TryAddWithoutValidation(B3, single);
        }

        if (headers.NonValidated.Contains(B3Sampled) || headers.NonValidated.Contains("X-B3-TraceId"))
        {
            // The debug flag implies sampling.
            headers.Remove(B3Flags);
            headers.Remove(B3Sampled);
            headers.TryAddWithoutValidation(B3Sampled, "0");
        }
    }

    // Of the flags the first bit alone says "sampled".
    private static string? Unsampled(string parent)
        => parent.Length >= FlagsOfParent + 2 && byte.TryParse(parent.AsSpan(FlagsOfParent, 2), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var flags)
            ? string.Concat(parent.AsSpan(0, FlagsOfParent), (flags & 0xFE).ToString("x2", System.Globalization.CultureInfo.InvariantCulture), parent.AsSpan(FlagsOfParent + 2))
            : null;

    // trace-span, trace-span-sampled, trace-span-sampled-parent, or the decision alone.
    private static string UnsampledB3(string value)
    {
        var parts = value.Split('-');
        return parts.Length switch
        {
            1 => "0",
            2 => value + "-0",
            _ => string.Join('-', [parts[0], parts[1], "0", .. parts[3..]]),
        };
    }
}
