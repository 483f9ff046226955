using System.Buffers;
using System.Text;
using Mesh.Xds.Metrics;

namespace Mesh.Xds.Tests.Metrics;

/// <summary>A registry as text.</summary>
internal static class Exposition
{
    public static string Text(MetricRegistry registry)
    {
        var output = new ArrayBufferWriter<byte>();
        PrometheusText.Write(registry, output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    public static string OpenMetrics(MetricRegistry registry)
    {
        var output = new ArrayBufferWriter<byte>();
        OpenMetricsText.Write(registry, output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
