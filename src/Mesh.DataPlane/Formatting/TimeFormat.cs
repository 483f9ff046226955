using System.Globalization;
using System.Text;

namespace Mesh.DataPlane.Formatting;

/// <summary>Envoy's time formats: those of <c>strftime</c>, and <c>%f</c>, <c>%1f</c> … <c>%9f</c> and <c>%E3S</c> for parts of a second.</summary>
internal sealed class TimeFormat
{
    private readonly List<(string Literal, Func<DateTimeOffset, string>? Part)> _parts = [];
    private readonly bool _local;

    private TimeFormat(bool local) => _local = local;

    /// <summary>Envoy's default, as in <c>2026-11-21T06:30:28.250Z</c>.</summary>
    public const string Default = "%Y-%m-%dT%H:%M:%E3SZ";

    /// <exception cref="FormatException">It uses a conversion that is not known.</exception>
    public static TimeFormat Parse(string format, bool local = false)
    {
        var result = new TimeFormat(local);
        var literal = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                literal.Append(format[i]);
                continue;
            }

            var start = i++;
            if (i < format.Length && format[i] == '%')
            {
                literal.Append('%');
                continue;
            }

            // %3f and %E3S carry a digit.
            var extended = i < format.Length && format[i] == 'E';
            i += extended ? 1 : 0;
            int? digits = null;
            if (i < format.Length && format[i] is >= '1' and <= '9' and var digit)
            {
                digits = digit - '0';
                i++;
            }

            var conversion = i < format.Length ? format[i] : '\0';
            result._parts.Add((literal.ToString(), Conversion(conversion, extended, digits)
                ?? throw new FormatException($"the time format has no conversion '{format[start..Math.Min(i + 1, format.Length)]}'")));
            literal.Clear();
        }

        result._parts.Add((literal.ToString(), null));
        return result;
    }

    public string Render(DateTimeOffset time)
    {
        time = _local ? time.ToLocalTime() : time.ToUniversalTime();
        var text = new StringBuilder();
        foreach (var (literal, part) in _parts)
        {
            text.Append(literal).Append(part?.Invoke(time));
        }

        return text.ToString();
    }

    private static Func<DateTimeOffset, string>? Conversion(char conversion, bool extended, int? digits)
        => (conversion, extended, digits) switch
        {
            ('S', true, { } n) => t => $"{Net(t, "ss")}.{Fraction(t, n)}",
            ('f', false, _) => t => Fraction(t, digits ?? 9),
            (_, true, _) or (_, _, not null) => null,
            ('Y', _, _) => t => Net(t, "yyyy"),
            ('y', _, _) => t => Net(t, "yy"),
            ('C', _, _) => t => (t.Year / 100).ToString("00", CultureInfo.InvariantCulture),
            ('m', _, _) => t => Net(t, "MM"),
            ('d', _, _) => t => Net(t, "dd"),
            ('e', _, _) => t => t.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
            ('H', _, _) => t => Net(t, "HH"),
            ('I', _, _) => t => Net(t, "hh"),
            ('M', _, _) => t => Net(t, "mm"),
            ('S', _, _) => t => Net(t, "ss"),
            ('p', _, _) => t => Net(t, "tt"),
            ('b' or 'h', _, _) => t => Net(t, "MMM"),
            ('B', _, _) => t => Net(t, "MMMM"),
            ('a', _, _) => t => Net(t, "ddd"),
            ('A', _, _) => t => Net(t, "dddd"),
            ('j', _, _) => t => t.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
            ('u', _, _) => t => (t.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)t.DayOfWeek).ToString(CultureInfo.InvariantCulture),
            ('w', _, _) => t => ((int)t.DayOfWeek).ToString(CultureInfo.InvariantCulture),
            ('s', _, _) => t => t.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            ('z', _, _) => t => Net(t, "zzz").Replace(":", "", StringComparison.Ordinal),
            ('Z', _, _) => t => t.Offset == TimeSpan.Zero ? "UTC" : Net(t, "zzz"),
            ('F', _, _) => t => Net(t, "yyyy-MM-dd"),
            ('T', _, _) => t => Net(t, "HH:mm:ss"),
            ('R', _, _) => t => Net(t, "HH:mm"),
            ('D', _, _) => t => Net(t, "MM/dd/yy"),
            ('t', _, _) => _ => "\t",
            _ => null,
        };

    // .NET's custom formats end at ticks of 100 ns; a format of one letter would be a standard one.
    private static string Net(DateTimeOffset time, string format) => time.ToString(format, CultureInfo.InvariantCulture);

    private static string Fraction(DateTimeOffset time, int digits)
        => ((time.Ticks % TimeSpan.TicksPerSecond) * 100).ToString("000000000", CultureInfo.InvariantCulture)[..digits];
}
