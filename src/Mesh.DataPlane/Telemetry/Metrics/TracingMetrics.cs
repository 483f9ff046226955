using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>What has become of the spans that this process sends to collectors.</summary>
internal static class TracingMetrics
{
    public static void Register(MetricRegistry registry, MeshTracing tracing)
    {
        Observe("mesh_trace_spans_sent_total", "Spans that collectors have taken.", counts => counts.Sent);
        Observe("mesh_trace_spans_dropped_total", "Spans that were lost because there was no room for them.", counts => counts.Dropped);
        Observe("mesh_trace_spans_failed_total", "Spans that were lost because their collector did not take them.", counts => counts.Failed);

        void Observe(string name, string help, Func<(long Sent, long Dropped, long Failed), long> read)
            => registry.Observe(new MetricDescription(name, MetricType.Counter, help), visitor => visitor.Value([], read(tracing.Counts())));
    }
}
