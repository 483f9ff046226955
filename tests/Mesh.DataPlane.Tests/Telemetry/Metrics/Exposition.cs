using System.Buffers;
using System.Text;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Tests.Telemetry.Metrics;

/// <summary>What a registry shows, line by line.</summary>
internal static class Exposition
{
    public static string Text(MetricRegistry registry)
    {
        var output = new ArrayBufferWriter<byte>();
        PrometheusText.Write(registry, output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    /// <summary>The samples whose name begins so, sorted as they come.</summary>
    public static string[] Lines(MetricRegistry registry, string name)
        => [.. Text(registry).Split('\n').Where(line => line.StartsWith(name, StringComparison.Ordinal))];

    /// <summary>What a sample says, by its name and labels as they are written.</summary>
    public static double Value(MetricRegistry registry, string sample)
    {
        var line = Lines(registry, sample + " ").ShouldHaveSingleItem();
        return double.Parse(line[(sample.Length + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>The labels of the only sample of a name.</summary>
    public static SortedDictionary<string, string> Labels(MetricRegistry registry, string name)
    {
        var line = Lines(registry, name + "{").ShouldHaveSingleItem();
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var label in line[(line.IndexOf('{') + 1)..line.LastIndexOf('}')].Split("\","))
        {
            var equals = label.IndexOf('=');
            labels.Add(label[..equals], label[(equals + 1)..].Trim('"'));
        }

        return labels;
    }
}
