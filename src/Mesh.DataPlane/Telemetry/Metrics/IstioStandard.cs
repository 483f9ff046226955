using System.Collections.Frozen;
using System.Text;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>Istio's standard metrics: names, help, labels and buckets, as proxies of Istio expose them.</summary>
internal static class IstioStandard
{
    /// <summary>What stands before the names that configurations use.</summary>
    public const string Prefix = "istio_";

    /// <summary>Envoy's, for every histogram that nothing else is said of.</summary>
    public static double[] Buckets { get; } = [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000];

    /// <summary>Names of labels, by <see cref="IstioLabel"/>.</summary>
    public static string[] LabelNames { get; } = [.. Enum.GetNames<IstioLabel>().Select(SnakeCase)];

    /// <summary>The labels by name.</summary>
    public static FrozenDictionary<string, IstioLabel> Labels { get; } = Enum.GetValues<IstioLabel>().ToFrozenDictionary(l => LabelNames[(int)l], StringComparer.Ordinal);

    /// <summary>What is said of each metric, by <see cref="IstioMetric"/>; without labels.</summary>
    public static MetricDescription[] Metrics { get; } =
    [
        new("istio_requests_total", MetricType.Counter, "Requests handled.") { Unit = "{request}" },
        new("istio_request_duration_milliseconds", MetricType.Histogram, "How long requests took, from their first byte to the last byte of their response.") { Unit = "ms" },
        new("istio_request_bytes", MetricType.Histogram, "Sizes of requests' bodies.") { Unit = "By" },
        new("istio_response_bytes", MetricType.Histogram, "Sizes of responses' bodies.") { Unit = "By" },
        new("istio_request_messages_total", MetricType.Counter, "gRPC messages that clients sent.") { Unit = "{message}" },
        new("istio_response_messages_total", MetricType.Counter, "gRPC messages that servers sent.") { Unit = "{message}" },
        new("istio_tcp_connections_opened_total", MetricType.Counter, "Connections opened.") { Unit = "{connection}" },
        new("istio_tcp_connections_closed_total", MetricType.Counter, "Connections closed.") { Unit = "{connection}" },
        new("istio_tcp_sent_bytes_total", MetricType.Counter, "Bytes sent to clients on connections.") { Unit = "By" },
        new("istio_tcp_received_bytes_total", MetricType.Counter, "Bytes received from clients on connections.") { Unit = "By" },
    ];

    /// <summary>The metrics by the names that configurations use: without <see cref="Prefix"/>.</summary>
    public static FrozenDictionary<string, IstioMetric> ByName { get; }
        = Enum.GetValues<IstioMetric>().ToFrozenDictionary(m => Metrics[(int)m].Name[Prefix.Length..], StringComparer.Ordinal);

    /// <summary>The labels that a metric has before anybody changes them.</summary>
    public static IEnumerable<IstioLabel> LabelsOf(IstioMetric metric)
        => Enum.GetValues<IstioLabel>().Where(label => metric switch
        {
            // Counted before the response is known.
            IstioMetric.RequestMessages or IstioMetric.ResponseMessages => label < IstioLabel.RequestProtocol,
            >= IstioMetric.TcpConnectionsOpened => label is not (IstioLabel.ResponseCode or IstioLabel.GrpcResponseStatus),
            _ => true,
        });

    private static string SnakeCase(string name)
    {
        var text = new StringBuilder();
        foreach (var c in name)
        {
            if (char.IsAsciiLetterUpper(c) && text.Length > 0)
            {
                text.Append('_');
            }

            text.Append(char.ToLowerInvariant(c));
        }

        return text.ToString();
    }
}
