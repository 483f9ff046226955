using System.Buffers;
using System.Globalization;

namespace Mesh.Xds.Metrics;

/// <summary>
/// Writes metrics in OpenMetrics 1.0.0, with exemplars. A counter whose name does not end in <c>_total</c>, as Envoy's do not, is of type
/// <c>unknown</c>: OpenMetrics would rename it, and queries would miss it.
/// </summary>
internal sealed class OpenMetricsText : IMetricVisitor
{
    private const string Total = "_total";
    private static readonly string[] Units = ["milliseconds", "seconds", "bytes", "ratio"];

    private readonly ExpositionText _text;
    private readonly Func<MetricFamily, bool>? _which;
    private MetricFamily? _family;
    private bool _begun;
    private bool _skipped;

    private OpenMetricsText(IBufferWriter<byte> output, Func<MetricFamily, bool>? which)
    {
        _text = new ExpositionText(output);
        _which = which;
    }

    /// <param name="registry">The metrics.</param>
    /// <param name="output">Where they are written to; nothing is flushed.</param>
    /// <param name="which">Families to write; <see langword="null"/> for all.</param>
    public static void Write(MetricRegistry registry, IBufferWriter<byte> output, Func<MetricFamily, bool>? which = null)
    {
        var visitor = new OpenMetricsText(output, which);
        registry.Collect(visitor);
        visitor._text.Raw("# EOF\n"u8);
    }

    public void Family(MetricFamily family)
    {
        // Several families of one name are one to who reads.
        _begun = _begun && _family?.Name == family.Name;
        _family = family;
        _skipped = _which?.Invoke(family) == false;
    }

    public void Value(ReadOnlySpan<string> labels, double value)
    {
        if (Begin())
        {
            Sample("", labels, value);
        }
    }

    public void Histogram(ReadOnlySpan<string> labels, in HistogramReading reading)
    {
        if (!Begin())
        {
            return;
        }

        long count = 0;
        for (var i = 0; i < reading.Counts.Length; i++)
        {
            count += reading.Counts[i];
            _text.Raw(_family!.Name);
            _text.Raw("_bucket"u8);
            _text.Labels(_family.Labels, labels, "le", i < reading.Bounds.Length ? Bound(reading.Bounds[i]) : "+Inf");
            _text.Raw(" "u8);
            _text.Number(count);
            if (i < reading.Exemplars.Length && Volatile.Read(in reading.Exemplars[i]) is { } exemplar)
            {
                Show(exemplar);
            }

            _text.Raw("\n"u8);
        }

        Sample("_sum", labels, reading.Sum);
        Sample("_count", labels, count);
    }

    /// <summary>A bucket's bound as OpenMetrics' "canonical numbers" ask for: as Go prints it, and with a point or an exponent always.</summary>
    internal static string Bound(double bound)
    {
        var plain = bound.ToString("R", CultureInfo.InvariantCulture);
        var size = Math.Abs(bound);
        if (size != 0 && size is < 1e-4 or >= 1e6)
        {
            for (var digits = 0; ; digits++)
            {
                var text = bound.ToString(digits == 0 ? "0e+00" : "0." + new string('0', digits) + "e+00", CultureInfo.InvariantCulture);
                if (digits >= 17 || double.Parse(text, CultureInfo.InvariantCulture) == bound)
                {
                    return text;
                }
            }
        }

        return plain.Contains('.', StringComparison.Ordinal) ? plain : plain + ".0";
    }

    private void Sample(string suffix, ReadOnlySpan<string> labels, double value)
    {
        _text.Raw(_family!.Name);
        _text.Raw(suffix);
        _text.Labels(_family.Labels, labels);
        _text.Raw(" "u8);
        _text.Number(value);
        _text.Raw("\n"u8);
    }

    private void Show(Exemplar exemplar)
    {
        _text.Raw(" # {trace_id=\""u8);
        _text.Raw(exemplar.TraceId.ToHexString());
        _text.Raw("\",span_id=\""u8);
        _text.Raw(exemplar.SpanId.ToHexString());
        _text.Raw("\"} "u8);
        _text.Number(exemplar.Value);
        _text.Raw(" "u8);
        _text.Raw((exemplar.At.ToUnixTimeMilliseconds() / 1000m).ToString("F3", CultureInfo.InvariantCulture));
    }

    private bool Begin()
    {
        if (_skipped || _begun)
        {
            return !_skipped;
        }

        _begun = true;
        var isTotal = _family!.Type == MetricType.Counter && _family.Name.EndsWith(Total, StringComparison.Ordinal);
        var name = isTotal ? _family.Name[..^Total.Length] : _family.Name;
        Line("# TYPE "u8, name, _family.Type switch
        {
            MetricType.Counter => isTotal ? "counter" : "unknown",
            MetricType.Gauge => "gauge",
            _ => "histogram",
        });
        foreach (var unit in Units)
        {
            if (name.Length > unit.Length && name.EndsWith(unit, StringComparison.Ordinal) && name[^(unit.Length + 1)] == '_')
            {
                Line("# UNIT "u8, name, unit);
                break;
            }
        }

        _text.Raw("# HELP "u8);
        _text.Raw(name);
        _text.Raw(" "u8);
        _text.Help(_family.Description.Help, escapeQuotes: true);
        _text.Raw("\n"u8);
        return true;
    }

    private void Line(ReadOnlySpan<byte> keyword, string name, string value)
    {
        _text.Raw(keyword);
        _text.Raw(name);
        _text.Raw(" "u8);
        _text.Raw(value);
        _text.Raw("\n"u8);
    }
}
