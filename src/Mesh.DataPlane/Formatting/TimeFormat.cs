using System.Globalization;
using System.Text;

namespace Mesh.DataPlane.Formatting;

/// <summary>Envoy's time formats: those of <c>strftime</c>, and <c>%f</c>, <c>%1f</c> … <c>%9f</c> and <c>%E3S</c> for parts of a second.</summary>
internal sealed class TimeFormat
{
    // Not the thread's own, in which a line may be in the making.
    [ThreadStatic]
    private static Utf8Text? _text;

    private readonly List<(byte[] Literal, Action<DateTimeOffset, Utf8Text>? Part)> _parts = [];
    private readonly bool _local;

    private TimeFormat(bool local) => _local = local;

    /// <summary>Envoy's default, as in <c>2026-11-21T06:30:28.250Z</c>.</summary>
    public const string Default = "%Y-%m-%dT%H:%M:%E3SZ";

    /// <summary>Whatever the time, nothing of it has to be escaped, in a line or in JSON.</summary>
    public bool IsPlain { get; private set; } = true;

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
            result.Add(literal, Conversion(conversion, extended, digits)
                ?? throw new FormatException($"the time format has no conversion '{format[start..Math.Min(i + 1, format.Length)]}'"));
            result.IsPlain &= conversion != 't';
        }

        result.Add(literal, null);
        return result;
    }

    public string Render(DateTimeOffset time)
    {
        var text = _text ??= new Utf8Text();
        text.Clear();
        Write(time, text);
        return text.ToString();
    }

    /// <summary>Writes a time, as it is.</summary>
    public void Write(DateTimeOffset time, Utf8Text text)
    {
        time = _local ? time.ToLocalTime() : time.ToUniversalTime();
        foreach (var (literal, part) in _parts)
        {
            text.Append(literal);
            part?.Invoke(time, text);
        }
    }

    private void Add(StringBuilder literal, Action<DateTimeOffset, Utf8Text>? part)
    {
        var text = literal.ToString();
        literal.Clear();
        IsPlain &= !text.AsSpan().ContainsAnyExceptInRange(' ', '~') && !text.AsSpan().ContainsAny('"', '\\');
        _parts.Add((Encoding.UTF8.GetBytes(text), part));
    }

    private static Action<DateTimeOffset, Utf8Text>? Conversion(char conversion, bool extended, int? digits)
        => (conversion, extended, digits) switch
        {
            ('S', true, { } n) => (t, text) =>
            {
                text.Append(t, "ss'.'");
                AppendFraction(t, n, text);
            }
            ,
            ('f', false, _) => (t, text) => AppendFraction(t, digits ?? 9, text),
            (_, true, _) or (_, _, not null) => null,
            ('Y', _, _) => Net("yyyy"),
            ('y', _, _) => Net("yy"),
            ('C', _, _) => (t, text) => text.AppendDigits(t.Year / 100, 2),
            ('m', _, _) => Net("MM"),
            ('d', _, _) => Net("dd"),
            ('e', _, _) => (t, text) =>
            {
                text.Append(t.Day < 10 ? " "u8 : []);
                text.Append(t.Day);
            }
            ,
            ('H', _, _) => Net("HH"),
            ('I', _, _) => Net("hh"),
            ('M', _, _) => Net("mm"),
            ('S', _, _) => Net("ss"),
            ('p', _, _) => Net("tt"),
            ('b' or 'h', _, _) => Net("MMM"),
            ('B', _, _) => Net("MMMM"),
            ('a', _, _) => Net("ddd"),
            ('A', _, _) => Net("dddd"),
            ('j', _, _) => (t, text) => text.AppendDigits(t.DayOfYear, 3),
            ('u', _, _) => (t, text) => text.Append(t.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)t.DayOfWeek),
            ('w', _, _) => (t, text) => text.Append((int)t.DayOfWeek),
            ('s', _, _) => (t, text) => text.Append(t.ToUnixTimeSeconds()),
            ('z', _, _) => (t, text) => text.Append(t.ToString("zzz", CultureInfo.InvariantCulture).Replace(":", "", StringComparison.Ordinal)),
            ('Z', _, _) => (t, text) => text.Append(t.Offset == TimeSpan.Zero ? "UTC" : t.ToString("zzz", CultureInfo.InvariantCulture)),
            ('F', _, _) => Net("yyyy-MM-dd"),
            ('T', _, _) => Net("HH:mm:ss"),
            ('R', _, _) => Net("HH:mm"),
            ('D', _, _) => Net("MM/dd/yy"),
            ('t', _, _) => (_, text) => text.Append((byte)'\t'),
            _ => null,
        };

    // .NET's custom formats end at ticks of 100 ns; a format of one letter would be a standard one.
    private static Action<DateTimeOffset, Utf8Text> Net(string format) => (t, text) => text.Append(t, format);

    private static void AppendFraction(DateTimeOffset time, int digits, Utf8Text text)
    {
        var start = text.Length;
        text.AppendDigits(time.Ticks % TimeSpan.TicksPerSecond * 100, 9);
        text.Cut(start + digits);
    }
}
