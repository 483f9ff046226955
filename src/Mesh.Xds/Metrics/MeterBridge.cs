using System.Diagnostics.Metrics;

namespace Mesh.Xds.Metrics;

/// <summary>
/// Shows a registry as the instruments of one <see cref="Meter"/>, so that any collector can listen: counters and gauges are observed from the cells when
/// somebody collects, histograms are told each value only while somebody listens.
/// </summary>
internal sealed class MeterBridge : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Mesh";

    private readonly Meter _meter;
    private readonly bool _owned;
    private int _disposed;

    /// <param name="registry">Whose metrics.</param>
    /// <param name="factory">Makes the meter and keeps it; <see langword="null"/> where there is none.</param>
    public MeterBridge(MetricRegistry registry, IMeterFactory? factory = null)
    {
        _owned = factory is null;
        var options = new MeterOptions(MeterName) { Version = typeof(MeterBridge).Assembly.GetName().Version?.ToString(3) };
        _meter = factory?.Create(options) ?? new Meter(options);
        registry.OnFamily(Add);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0 && _owned)
        {
            _meter.Dispose();
        }
    }

    private void Add(MetricFamily family)
    {
        var description = family.Description;
        if (family is HistogramFamily histogram)
        {
            histogram.Instrument = _meter.CreateHistogram(
                description.Instrument,
                description.Unit,
                description.Help,
                tags: null,
                new InstrumentAdvice<double> { HistogramBucketBoundaries = histogram.Bounds });
        }
        else if (family.Type == MetricType.Counter)
        {
            _meter.CreateObservableCounter(description.Instrument, () => Reading.Of(family), description.Unit, description.Help);
        }
        else
        {
            _meter.CreateObservableGauge(description.Instrument, () => Reading.Of(family), description.Unit, description.Help);
        }
    }

    private sealed class Reading(MetricFamily family) : IMetricVisitor
    {
        private readonly List<Measurement<double>> _measurements = [];

        public static List<Measurement<double>> Of(MetricFamily family)
        {
            var reading = new Reading(family);
            family.Collect(reading);
            return reading._measurements;
        }

        public void Family(MetricFamily other)
        {
        }

        public void Value(ReadOnlySpan<string> labels, double value)
        {
            var tags = new KeyValuePair<string, object?>[labels.Length];
            for (var i = 0; i < tags.Length; i++)
            {
                tags[i] = new(family.Description.Tags[i], labels[i]);
            }

            _measurements.Add(new Measurement<double>(value, tags));
        }

        public void Histogram(ReadOnlySpan<string> labels, in HistogramReading reading)
        {
        }
    }
}
