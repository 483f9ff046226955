using System.Globalization;

namespace Mesh.Xds.Metrics;

/// <summary>In which of Prometheus' formats metrics are written.</summary>
internal enum ExpositionFormat
{
    /// <summary>The text format, version 0.0.4.</summary>
    Text,

    /// <summary>OpenMetrics 1.0.0, which knows exemplars.</summary>
    OpenMetrics,
}

/// <summary>Which format a caller gets, and its media type.</summary>
internal static class ExpositionFormats
{
    private const int MaxRanges = 32;

    public static string ContentType(this ExpositionFormat format)
        => format == ExpositionFormat.OpenMetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>
    /// OpenMetrics for who wants that alone, or reads bounds as numbers; the text format for everybody else. OpenMetrics writes the bound 10 as <c>le="10.0"</c>,
    /// Envoy and the text format as <c>le="10"</c>: a Prometheus before version 3, which prefers OpenMetrics and keeps bounds as they are written, would have
    /// other series of a process than of the proxy whose metrics these are, and every query that names a bound would miss. From version 3 on, which tells
    /// itself by <c>escaping</c>, both are the same to it.
    /// </summary>
    /// <param name="accept">The values of <c>Accept</c>; <see langword="null"/> when there is none.</param>
    public static ExpositionFormat Negotiate(string? accept)
    {
        var (openMetrics, text, ranges) = (0.0, 0.0, 0);
        var (namesText, readsBounds) = (false, false);
        foreach (var part in accept.AsSpan().Split(','))
        {
            if (++ranges > MaxRanges)
            {
                break;
            }

            Parse(accept.AsSpan()[part], out var type, out var version, out var quality, out var escapes);
            if (type.Equals("application/openmetrics-text", StringComparison.OrdinalIgnoreCase) && version is "" or "1.0.0")
            {
                openMetrics = Math.Max(openMetrics, quality);
                readsBounds |= escapes;
            }
            else if (type.Equals("text/plain", StringComparison.OrdinalIgnoreCase) || type is "*/*" or "text/*")
            {
                text = Math.Max(text, quality);
                namesText |= quality > 0 && type is not "*/*";
            }
        }

        return openMetrics > 0 && openMetrics >= text && (readsBounds || !namesText) ? ExpositionFormat.OpenMetrics : ExpositionFormat.Text;
    }

    private static void Parse(ReadOnlySpan<char> range, out ReadOnlySpan<char> type, out ReadOnlySpan<char> version, out double quality, out bool escapes)
    {
        type = default;
        version = default;
        quality = 1;
        escapes = false;
        var first = true;
        foreach (var part in range.Split(';'))
        {
            var text = range[part].Trim();
            if (first)
            {
                type = text;
                first = false;
                continue;
            }

            var equals = text.IndexOf('=');
            var name = equals < 0 ? text : text[..equals].Trim();
            var value = equals < 0 ? default : text[(equals + 1)..].Trim().Trim('"');
            if (name.Equals("version", StringComparison.OrdinalIgnoreCase))
            {
                version = value;
            }
            else if (name.Equals("escaping", StringComparison.OrdinalIgnoreCase))
            {
                escapes = true;
            }
            else if (name.Equals("q", StringComparison.OrdinalIgnoreCase))
            {
                quality = double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var q) && q is >= 0 and <= 1 ? q : 0;
            }
        }
    }
}
