using System.Collections.Concurrent;
using System.Globalization;
using Mesh.DataPlane.Filters;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>
/// Envoy's metrics of the requests that come in (<c>envoy_http_downstream_rq_*</c>), by the <c>stat_prefix</c> of the connection manager; read when somebody
/// asks for them. Managers of one prefix are one row, as in Envoy.
/// </summary>
internal sealed class DownstreamMetrics
{
    private const string Prefix = "envoy_http_downstream_rq_";

    // Prefixes are a control plane's to choose, and rows stay; whoever comes after so many shares one.
    private const int MaxManagers = 256;

    private readonly ConcurrentDictionary<string, DownstreamRequestSink> _managers = new(StringComparer.Ordinal);

    public DownstreamMetrics(MetricRegistry registry)
    {
        Observe("total", MetricType.Counter, "Requests that have come in.", sink => sink.Begun);
        Observe("completed", MetricType.Counter, "Requests that got a response.", sink => sink.Completed);
        Observe("active", MetricType.Gauge, "Requests under way.", sink => sink.Active);
        Observe("http1_total", MetricType.Counter, "Requests by HTTP/1.", sink => sink.OfVersion(1));
        Observe("http2_total", MetricType.Counter, "Requests by HTTP/2.", sink => sink.OfVersion(2));
        Observe("http3_total", MetricType.Counter, "Requests by HTTP/3.", sink => sink.OfVersion(3));
        registry.Observe(new MetricDescription(Prefix + "xx", MetricType.Counter, "Responses by class.", "envoy_response_code_class", FilterCounters.Label), visitor =>
        {
            foreach (var (name, sink) in _managers)
            {
                for (var i = 1; i <= 5; i++)
                {
                    visitor.Value([i.ToString(CultureInfo.InvariantCulture), name], sink.OfClass(i));
                }
            }
        });

        void Observe(string name, MetricType type, string help, Func<DownstreamRequestSink, double> read)
            => registry.Observe(new MetricDescription(Prefix + name, type, help, FilterCounters.Label), visitor =>
            {
                foreach (var (manager, sink) in _managers)
                {
                    visitor.Value([manager], read(sink));
                }
            });
    }

    /// <summary>What counts the requests of a connection manager.</summary>
    public RequestSink Of(string statPrefix)
        => _managers.TryGetValue(statPrefix, out var known) ? known
            : _managers.GetOrAdd(_managers.Count < MaxManagers ? statPrefix : CardinalityLimit.OverflowValue, static _ => new DownstreamRequestSink());
}
