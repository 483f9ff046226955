namespace Mesh.ControlPlane.Config.Reading;

/// <summary>Durations as Go's <c>time.ParseDuration</c> reads them, which is how Istio reads them: <c>1h2m3.5s</c>, <c>100ms</c>, <c>0</c>.</summary>
internal static class GoDuration
{
    private static readonly (string Unit, long Nanoseconds)[] Units =
    [
        ("ns", 1),
        ("us", 1_000),
        ("\u00b5s", 1_000),
        ("\u03bcs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];

    public static bool TryParse(ReadOnlySpan<char> text, out long nanoseconds)
    {
        nanoseconds = 0;
        var negative = text.StartsWith("-");
        if (negative || text.StartsWith("+"))
        {
            text = text[1..];
        }

        if (text is "0")
        {
            return true;
        }

        if (text.IsEmpty)
        {
            return false;
        }

        Int128 total = 0;
        while (!text.IsEmpty)
        {
            if (!TryTerm(ref text, out var term))
            {
                return false;
            }

            total += term;
            if (total > (Int128)long.MaxValue + 1)
            {
                return false;
            }
        }

        total = negative ? -total : total;
        if (total > long.MaxValue)
        {
            return false;
        }

        nanoseconds = (long)total;
        return true;
    }

    private static bool TryTerm(ref ReadOnlySpan<char> text, out Int128 nanoseconds)
    {
        nanoseconds = 0;
        var digits = Digits(text);
        var whole = text[..digits];
        text = text[digits..];
        var fraction = ReadOnlySpan<char>.Empty;
        if (text.StartsWith("."))
        {
            digits = Digits(text[1..]);
            fraction = text.Slice(1, digits);
            text = text[(digits + 1)..];
        }

        if (whole.IsEmpty && fraction.IsEmpty)
        {
            return false;
        }

        var letters = text.IndexOfAny("0123456789.");
        var name = letters < 0 ? text : text[..letters];
        text = text[name.Length..];
        foreach (var (unit, size) in Units)
        {
            if (name.SequenceEqual(unit))
            {
                return TryScale(whole, fraction, size, out nanoseconds);
            }
        }

        return false;
    }

    private static bool TryScale(ReadOnlySpan<char> whole, ReadOnlySpan<char> fraction, long unit, out Int128 nanoseconds)
    {
        nanoseconds = 0;
        Int128 value = 0;
        foreach (var c in whole)
        {
            value = (value * 10) + (c - '0');
            if (value > (Int128)long.MaxValue + 1)
            {
                return false;
            }
        }

        // Digits below a nanosecond are dropped, as in Go.
        Int128 numerator = 0;
        Int128 denominator = 1;
        foreach (var c in fraction[..Math.Min(fraction.Length, 18)])
        {
            numerator = (numerator * 10) + (c - '0');
            denominator *= 10;
        }

        nanoseconds = (value * unit) + (numerator * unit / denominator);
        return true;
    }

    private static int Digits(ReadOnlySpan<char> text)
    {
        var end = text.IndexOfAnyExceptInRange('0', '9');
        return end < 0 ? text.Length : end;
    }
}
