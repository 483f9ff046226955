using System.Globalization;
using Mesh.DataPlane.Matching.Re2;

namespace Mesh.DataPlane.Expressions;

/// <summary>The functions and operators that work on values alone.</summary>
internal static class CelFunctions
{
    private const int MaxTextLength = 64 * 1024;

    public static CelValue StartsWith(CelValue text, CelValue part) => AreTexts(text, part) ? CelValue.Of(text.String.StartsWith(part.String, StringComparison.Ordinal)) : default;

    public static CelValue EndsWith(CelValue text, CelValue part) => AreTexts(text, part) ? CelValue.Of(text.String.EndsWith(part.String, StringComparison.Ordinal)) : default;

    public static CelValue Contains(CelValue text, CelValue part) => AreTexts(text, part) ? CelValue.Of(text.String.Contains(part.String, StringComparison.Ordinal)) : default;

    /// <summary>The pattern may match anywhere in the text.</summary>
    public static Func<CelValue, CelValue> Matches(Re2Pattern pattern) => text => text.Kind == CelKind.String ? CelValue.Of(pattern.IsPartialMatch(text.String)) : default;

    public static CelValue Text(CelValue value) => CelValue.Of(value.AsText());

    public static CelValue Int(CelValue value)
        => value.Kind switch
        {
            CelKind.Int => value,
            CelKind.Double => value.Double is > long.MinValue and < long.MaxValue ? CelValue.Of((long)value.Double) : default,
            CelKind.String => long.TryParse(value.String, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? CelValue.Of(number) : default,
            CelKind.Timestamp => CelValue.Of(new DateTimeOffset(value.Number, TimeSpan.Zero).ToUnixTimeSeconds()),
            _ => default,
        };

    public static CelValue Double(CelValue value)
        => value.Kind switch
        {
            CelKind.Int or CelKind.Double => CelValue.Of(value.Double),
            CelKind.String => double.TryParse(value.String, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? CelValue.Of(number) : default,
            _ => default,
        };

    /// <summary>Go's spelling: <c>1h30m</c>, <c>1.5s</c>, <c>250ms</c>.</summary>
    public static CelValue Duration(CelValue value)
    {
        if (value.Kind == CelKind.Duration)
        {
            return value;
        }

        if (value.Kind != CelKind.String)
        {
            return default;
        }

        var text = value.String.AsSpan();
        var sign = text.StartsWith("-") ? -1m : 1m;
        text = text.StartsWith("-") || text.StartsWith("+") ? text[1..] : text;
        if (text is "0")
        {
            return CelValue.Of(TimeSpan.Zero);
        }

        var ticks = 0m;
        for (var parts = 0; ; parts++)
        {
            if (text.IsEmpty)
            {
                return parts > 0 && ticks < long.MaxValue ? CelValue.Of(TimeSpan.FromTicks((long)(sign * ticks))) : default;
            }

            var digits = text.IndexOfAnyExcept("0123456789.");
            if (digits <= 0 || !decimal.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number > 1_000_000_000_000m)
            {
                return default;
            }

            text = text[digits..];
            var unit = text.IndexOfAny("0123456789.") is >= 0 and var end ? text[..end] : text;
            decimal? length = unit switch
            {
                "h" => TimeSpan.TicksPerHour,
                "m" => TimeSpan.TicksPerMinute,
                "s" => TimeSpan.TicksPerSecond,
                "ms" => TimeSpan.TicksPerMillisecond,
                "us" or "µs" => TimeSpan.TicksPerMicrosecond,
                "ns" => 0.01m,
                _ => null,
            };
            if (length is null)
            {
                return default;
            }

            ticks += number * length.Value;
            text = text[unit.Length..];
        }
    }

    /// <summary>As RFC 3339 writes it.</summary>
    public static CelValue Timestamp(CelValue value)
        => value.Kind switch
        {
            CelKind.Timestamp => value,
            CelKind.String when DateTimeOffset.TryParse(value.String, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) => CelValue.Of(time),
            _ => default,
        };

    public static CelValue Add(CelValue left, CelValue right)
        => (left.Kind, right.Kind) switch
        {
            (CelKind.Int, CelKind.Int) => Checked(() => checked(left.Number + right.Number)),
            (CelKind.Double, CelKind.Double) => CelValue.Of(left.Double + right.Double),
            (CelKind.String, CelKind.String) => left.String.Length + right.String.Length <= MaxTextLength ? CelValue.Of(left.String + right.String) : default,
            (CelKind.Duration, CelKind.Duration) => CelValue.Of(TimeSpan.FromTicks(left.Number + right.Number)),
            _ => default,
        };

    public static CelValue Subtract(CelValue left, CelValue right)
        => (left.Kind, right.Kind) switch
        {
            (CelKind.Int, CelKind.Int) => Checked(() => checked(left.Number - right.Number)),
            (CelKind.Double, CelKind.Double) => CelValue.Of(left.Double - right.Double),
            (CelKind.Duration, CelKind.Duration) or (CelKind.Timestamp, CelKind.Timestamp) => CelValue.Of(TimeSpan.FromTicks(left.Number - right.Number)),
            _ => default,
        };

    public static CelValue Multiply(CelValue left, CelValue right)
        => (left.Kind, right.Kind) switch
        {
            (CelKind.Int, CelKind.Int) => Checked(() => checked(left.Number * right.Number)),
            (CelKind.Double, CelKind.Double) => CelValue.Of(left.Double * right.Double),
            _ => default,
        };

    public static CelValue Divide(CelValue left, CelValue right)
        => (left.Kind, right.Kind) switch
        {
            (CelKind.Int, CelKind.Int) => right.Number == 0 ? default : Checked(() => checked(left.Number / right.Number)),
            (CelKind.Double, CelKind.Double) => CelValue.Of(left.Double / right.Double),
            _ => default,
        };

    public static CelValue Remainder(CelValue left, CelValue right)
        => left.Kind == CelKind.Int && right.Kind == CelKind.Int && right.Number is not (0 or -1) ? CelValue.Of(left.Number % right.Number) : default;

    public static CelValue Negate(CelValue value)
        => value.Kind switch
        {
            CelKind.Int => Checked(() => checked(-value.Number)),
            CelKind.Double => CelValue.Of(-value.Double),
            _ => default,
        };

    private static bool AreTexts(CelValue left, CelValue right) => left.Kind == CelKind.String && right.Kind == CelKind.String;

    // Too large is an error in the language, and no other number.
    private static CelValue Checked(Func<long> compute)
    {
        try
        {
            return CelValue.Of(compute());
        }
        catch (OverflowException)
        {
            return default;
        }
    }
}
