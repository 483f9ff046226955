using System.Globalization;
using System.Text;

namespace LoadGenerator;

/// <summary>Durations as Go reads and writes them: <c>1m30s</c>, <c>41.570256ms</c>.</summary>
internal static class GoDuration
{
    private static readonly (string Unit, double Seconds)[] Units = [("h", 3600), ("ms", 1e-3), ("us", 1e-6), ("µs", 1e-6), ("ns", 1e-9), ("m", 60), ("s", 1)];

    /// <exception cref="FormatException">It is none.</exception>
    public static TimeSpan Parse(string text)
    {
        var (seconds, at) = (0.0, 0);
        while (at < text.Length)
        {
            var digits = text.AsSpan(at).IndexOfAnyExcept("0123456789.");
            var from = at + digits;
            var unit = digits > 0 ? Array.Find(Units, unit => text.AsSpan(from).StartsWith(unit.Unit, StringComparison.Ordinal)) : default;
            if (unit.Unit is null)
            {
                throw new FormatException($"'{text}' is no duration.");
            }

            seconds += double.Parse(text.AsSpan(at, digits), CultureInfo.InvariantCulture) * unit.Seconds;
            at = from + unit.Unit.Length;
        }

        return text.Length > 0 ? TimeSpan.FromSeconds(seconds) : throw new FormatException("'' is no duration.");
    }

    public static string Format(TimeSpan duration)
    {
        if (duration < TimeSpan.FromSeconds(1))
        {
            return duration.Ticks switch
            {
                0 => "0s",
                < TimeSpan.TicksPerMillisecond => Number(duration.TotalMicroseconds) + "µs",
                _ => Number(duration.TotalMilliseconds) + "ms",
            };
        }

        var text = new StringBuilder();
        if (duration.TotalHours >= 1)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(int)duration.TotalHours}h");
        }

        if (duration.TotalMinutes >= 1)
        {
            text.Append(CultureInfo.InvariantCulture, $"{duration.Minutes}m");
        }

        return text.Append(Number(duration.Ticks % TimeSpan.TicksPerMinute / (double)TimeSpan.TicksPerSecond)).Append('s').ToString();
    }

    private static string Number(double value) => value.ToString("0.#######", CultureInfo.InvariantCulture);
}
