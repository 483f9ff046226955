using System.Globalization;
using Mesh.DataPlane.Expressions;
using Mesh.DataPlane.Formatting;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>The cells of the operator's own metrics, in the order of <see cref="StatsPlan.Custom"/>.</summary>
internal static class CustomCells
{
    public static MetricCell[] Bind(StatsPlan plan, string[] standard, string[]? expressed)
        => plan.Custom.Length == 0 ? [] : [.. plan.Custom.Select(c => Bind(c.Metric, standard, expressed))];

    public static void Record(StatsPlan plan, MetricCell[] cells, in FormatContext context)
    {
        for (var i = 0; i < cells.Length; i++)
        {
            // As in Istio: what is no whole number counts as nothing.
            var amount = long.TryParse(plan.Custom[i].Value.TextOf(context), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
            switch (cells[i])
            {
                case CounterCell counter:
                    counter.Add(amount);
                    break;
                case GaugeCell gauge:
                    gauge.Set(amount);
                    break;
                case HistogramCell histogram:
                    histogram.Record(amount);
                    break;
            }
        }
    }

    public static void Remove(StatsPlan plan, MetricCell[] cells)
    {
        for (var i = 0; i < cells.Length; i++)
        {
            switch (plan.Custom[i].Metric.Family)
            {
                case CounterFamily counters:
                    counters.Remove(cells[i].Values);
                    break;
                case GaugeFamily gauges:
                    gauges.Remove(cells[i].Values);
                    break;
                case HistogramFamily histograms:
                    histograms.Remove(cells[i].Values);
                    break;
            }
        }
    }

    private static MetricCell Bind(MetricPlan metric, string[] standard, string[]? expressed)
        => metric.Family.Type switch
        {
            MetricType.Counter => metric.Cell<CounterCell>(standard, expressed),
            MetricType.Gauge => metric.Cell<GaugeCell>(standard, expressed),
            _ => metric.Cell<HistogramCell>(standard, expressed),
        };
}
