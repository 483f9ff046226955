using System.Buffers;
using System.Globalization;

namespace Mesh.Xds.Metrics;

/// <summary>Writes metrics in Prometheus' text format 0.0.4.</summary>
internal sealed class PrometheusText : IMetricVisitor
{
    private readonly ExpositionText _text;
    private readonly Func<MetricFamily, bool>? _which;
    private MetricFamily? _family;
    private bool _begun;
    private bool _skipped;

    private PrometheusText(IBufferWriter<byte> output, Func<MetricFamily, bool>? which)
    {
        _text = new ExpositionText(output);
        _which = which;
    }

    /// <param name="registry">The metrics.</param>
    /// <param name="output">Where they are written to; nothing is flushed.</param>
    /// <param name="which">Families to write; <see langword="null"/> for all.</param>
    public static void Write(MetricRegistry registry, IBufferWriter<byte> output, Func<MetricFamily, bool>? which = null)
        => registry.Collect(new PrometheusText(output, which));

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
            _text.Labels(_family.Labels, labels, "le", i < reading.Bounds.Length ? reading.Bounds[i].ToString("R", CultureInfo.InvariantCulture) : "+Inf");
            _text.Raw(" "u8);
            _text.Number(count);
            _text.Raw("\n"u8);
        }

        Sample("_sum", labels, reading.Sum);
        Sample("_count", labels, count);
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

    // A family that nobody has counted in is not written at all.
    private bool Begin()
    {
        if (_skipped || _begun)
        {
            return !_skipped;
        }

        _begun = true;
        _text.Raw("# HELP "u8);
        _text.Raw(_family!.Name);
        _text.Raw(" "u8);
        _text.Help(_family.Description.Help, escapeQuotes: false);
        _text.Raw("\n# TYPE "u8);
        _text.Raw(_family.Name);
        _text.Raw(_family.Type switch { MetricType.Counter => " counter\n"u8, MetricType.Gauge => " gauge\n"u8, _ => " histogram\n"u8 });
        return true;
    }
}
