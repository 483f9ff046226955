using System.Diagnostics.Metrics;
using Mesh.Xds.Metrics;

namespace Mesh.Xds.Tests.Metrics;

public sealed class MeterBridgeTests
{
    [Fact]
    public void Counters_and_gauges_are_observed_and_histograms_are_told_while_somebody_listens()
    {
        var registry = new MetricRegistry();
        var counter = registry.Counter(new("requests_total", MetricType.Counter, "Requests.", "kind") { Instrument = "mesh.requests", Tags = ["mesh.kind"], Unit = "{request}" });
        counter.Cell("a").Add(3);
        var histogram = registry.Histogram("sizes", "Sizes.", [1, 2], "kind");
        histogram.Cell("a").Record(1.5);
        using var meters = new OneFactory();
        using var bridge = new MeterBridge(registry, meters);
        var late = registry.Gauge("level", "Level.");
        late.Cell().Set(7);
        var seen = new List<string>();
        using var listener = new MeterListener { InstrumentPublished = (instrument, it) => { if (instrument.Meter == meters.Meter) { it.EnableMeasurementEvents(instrument); } } };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _)
            => seen.Add($"{instrument.Name} {instrument.Unit} {string.Join(',', tags.ToArray().Select(tag => tag.Key + "=" + tag.Value))} {value}"));

        histogram.Cell("a").Record(1.25);
        listener.Start();
        histogram.Cell("a").Record(1.75);
        listener.RecordObservableInstruments();

        seen.ShouldBe(["sizes  kind=a 1.75", "mesh.requests {request} mesh.kind=a 3", "level   7"], ignoreOrder: true);
        histogram.Cell("a").Count.ShouldBe(3);
        ((Histogram<double>)histogram.Instrument!).Advice!.HistogramBucketBoundaries.ShouldBe([1.0, 2.0]);
    }

    private sealed class OneFactory : IMeterFactory
    {
        public Meter? Meter { get; private set; }

        public Meter Create(MeterOptions options) => Meter ??= new Meter(options.Name, options.Version, options.Tags, this);

        public void Dispose() => Meter?.Dispose();
    }
}
