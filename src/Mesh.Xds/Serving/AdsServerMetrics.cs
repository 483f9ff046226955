using Envoy.Config.Core.V3;
using Google.Protobuf;
using Mesh.Xds.Ads;
using Mesh.Xds.Grpc;
using Mesh.Xds.Metrics;

namespace Mesh.Xds.Serving;

/// <summary>What the ADS engine counts, under the names that istiod's dashboards query.</summary>
internal sealed class AdsServerMetrics
{
    private const int MaxText = 128;

    private static readonly double[] Times = [.1, .5, 1, 3, 5, 10, 20, 30];
    private static readonly double[] ShortTimes = [.01, .1, 1, 3, 5, 10, 20, 30];
    private static readonly double[] Sizes = [1, 10_000, 1_000_000, 4_000_000, 10_000_000, 40_000_000];

    private readonly GaugeFamily _connected;
    private readonly CounterFamily _pushes;
    private readonly HistogramFamily _pushTime;
    private readonly HistogramFamily _size;
    private readonly CounterFamily _rejects;
    private readonly Dictionary<string, GaugeFamily> _rejectsByType;
    private readonly HistogramCell _queueTime;
    private readonly HistogramCell _convergence;
    private readonly HistogramCell _sendTime;
    private readonly CounterCell _failures;

    public AdsServerMetrics(MetricRegistry registry)
    {
        _connected = registry.Gauge("pilot_xds", "Clients that have a stream open.", "version");
        _pushes = registry.Counter("pilot_xds_pushes", "Responses that were sent, by the kind of their resources.", "type");
        _pushTime = registry.Histogram("pilot_xds_push_time", "Seconds that making a response took.", ShortTimes, "type");
        _size = registry.Histogram("pilot_xds_config_size_bytes", "Sizes of responses.", Sizes, "type");
        _rejects = registry.Counter("pilot_total_xds_rejects", "Responses that clients refused.", "type");
        _rejectsByType = new Dictionary<string, GaugeFamily>(StringComparer.Ordinal)
        {
            [TypeUrls.Cluster] = Rejects("cds"),
            [TypeUrls.ClusterLoadAssignment] = Rejects("eds"),
            [TypeUrls.Listener] = Rejects("lds"),
            [TypeUrls.RouteConfiguration] = Rejects("rds"),
        };
        _queueTime = registry.Histogram("pilot_proxy_queue_time", "Seconds between a change and the moment when a client's stream turns to it.", Times).Cell();
        _convergence = registry.Histogram("pilot_proxy_convergence_time", "Seconds between a change and the moment when a client has been sent all that follows from it.", Times).Cell();
        _sendTime = registry.Histogram("pilot_xds_send_time", "Seconds that writing a response took.", ShortTimes).Cell();
        _failures = registry.Counter("pilot_total_xds_internal_errors", "Streams that ended because the control plane failed.").Cell();

        GaugeFamily Rejects(string type) => registry.Gauge($"pilot_xds_{type}_reject", $"Refusals of {type.ToUpperInvariant()} by client and code.", "node", "err");
    }

    public void Connected(Node node) => _connected.Cell(VersionOf(node)).Add(1);

    public void Disconnected(Node node) => _connected.Cell(VersionOf(node)).Add(-1);

    public void Pushed(string typeUrl, object response, TimeSpan took)
    {
        var type = NameOf(typeUrl);
        _pushes.Cell(type).Increment();
        _pushTime.Cell(type).Record(took.TotalSeconds);
        if (response is IMessage message)
        {
            _size.Cell(type).Record(message.CalculateSize());
        }
    }

    public void Refused(string typeUrl, string node, int code)
    {
        _rejects.Cell(NameOf(typeUrl)).Increment();
        if (_rejectsByType.TryGetValue(typeUrl, out var family))
        {
            family.Cell(Short(node), (Enum.IsDefined((StatusCode)code) ? (StatusCode)code : StatusCode.Unknown).ToString()).Add(1);
        }
    }

    public void Waited(TimeSpan time) => _queueTime.Record(time.TotalSeconds);

    public void Converged(TimeSpan time) => _convergence.Record(time.TotalSeconds);

    public void Sent(TimeSpan took) => _sendTime.Record(took.TotalSeconds);

    public void Failed() => _failures.Increment();

    private static string VersionOf(Node node)
        => Short(node.Metadata?.Fields.TryGetValue("ISTIO_VERSION", out var version) == true && version.StringValue.Length > 0 ? version.StringValue : node.UserAgentVersion is { Length: > 0 } own ? own : "unknown");

    private static string Short(string text) => text.Length > MaxText ? text[..MaxText] : text;

    private static string NameOf(string typeUrl) => typeUrl switch
    {
        TypeUrls.Cluster => "cds",
        TypeUrls.ClusterLoadAssignment => "eds",
        TypeUrls.Listener => "lds",
        TypeUrls.RouteConfiguration => "rds",
        TypeUrls.Secret => "sds",
        _ => typeUrl[(typeUrl.LastIndexOfAny(['/', '.']) + 1)..],
    };
}
