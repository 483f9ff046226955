using System.Collections.Concurrent;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>Istio's metrics of this process. Listeners that say the same of them share what counts, so that a thousand hosts cost what one does.</summary>
internal sealed class IstioMetrics
{
    // Of settings and of label names there are as many as an operator writes; whoever changes them for ever starts anew.
    private const int MaxSinks = 256;
    private const int MaxLabelNames = 64;

    private readonly ConcurrentDictionary<(string Settings, Reporter Reporter, ServiceNames? Own), RequestMetrics> _requests = new();
    private readonly ConcurrentDictionary<(string Settings, Reporter Reporter, ServiceNames? Own), ConnectionMetrics> _connections = new();
    private readonly Dictionary<string, HashSet<string>> _labelNames = new(StringComparer.Ordinal);
    private readonly Lock _sync = new();
    private readonly MetricRegistry _registry;
    private readonly ServiceLookup _services;
    private readonly Peer _local;
    private readonly TimeProvider _time;

    public IstioMetrics(MetricRegistry registry, Peer local, TimeProvider time)
    {
        (_registry, _local, _time) = (registry, local, time);
        _services = new ServiceLookup(registry.Limit);
        registry.Collecting += Rotate;
    }

    /// <summary>What counts the requests of a listener.</summary>
    /// <param name="settings">What it says of metrics.</param>
    /// <param name="reporter">Whose requests they are.</param>
    /// <param name="own">On a server, the service that they are for; <see langword="null"/> where nobody has said.</param>
    public RequestSink Requests(StatsSettings settings, Reporter reporter, ServiceNames? own)
    {
        var key = (settings.Identity, reporter, own);
        if (_requests.TryGetValue(key, out var sink))
        {
            return sink;
        }

        lock (_sync)
        {
            if (!_requests.TryGetValue(key, out sink))
            {
                if (_requests.Count >= MaxSinks)
                {
                    _requests.Clear();
                }

                sink = new RequestMetrics(new StatsPlan(settings, _registry, MayHave), settings, reporter, _local, own, _services, _registry.Limit, _time);
                _requests[key] = sink;
            }

            return sink;
        }
    }

    /// <summary>What counts the connections of a listener that carry no requests.</summary>
    /// <param name="settings">What it says of metrics.</param>
    /// <param name="reporter">Whose connections they are.</param>
    /// <param name="own">On a server, the service that they are for; <see langword="null"/> where nobody has said.</param>
    public ConnectionMetrics Connections(StatsSettings settings, Reporter reporter, ServiceNames? own)
    {
        var key = (settings.Identity, reporter, own);
        if (_connections.TryGetValue(key, out var metrics))
        {
            return metrics;
        }

        lock (_sync)
        {
            if (!_connections.TryGetValue(key, out metrics))
            {
                if (_connections.Count >= MaxSinks)
                {
                    _connections.Clear();
                }

                metrics = new ConnectionMetrics(new StatsPlan(settings, _registry, MayHave), settings, reporter, _local, own, _services, _registry.Limit, _time);
                _connections[key] = metrics;
            }

            return metrics;
        }
    }

    private bool MayHave(string metric, IEnumerable<string> labels)
    {
        if (!_labelNames.TryGetValue(metric, out var known))
        {
            _labelNames.Add(metric, known = []);
        }

        var names = string.Join(',', labels);
        return known.Contains(names) || (known.Count < MaxLabelNames && known.Add(names));
    }

    private void Rotate()
    {
        foreach (var (_, sink) in _requests)
        {
            sink.Rotate();
        }

        foreach (var (_, metrics) in _connections)
        {
            metrics.Rotate();
        }
    }
}
