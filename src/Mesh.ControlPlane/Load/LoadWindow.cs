using Envoy.Service.LoadStats.V3;
using Mesh.Xds.Metrics;

namespace Mesh.ControlPlane.Load;

/// <summary>What clients have reported in the last minutes. Bounded, whatever they report.</summary>
internal sealed class LoadWindow(TimeProvider time, TimeSpan interval, TimeSpan window)
{
    /// <summary>Clients that are known at a time.</summary>
    public const int MaxNodes = 10_000;

    /// <summary>Series of all clients together.</summary>
    public const int MaxSeries = 20_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, LoadNode> _nodes = new(StringComparer.Ordinal);
    private long _trimmedAt = long.MinValue;
    private int _series;

    /// <summary>Parts of reports that found no place.</summary>
    public long Refused { get; private set; }

    public long Reports { get; private set; }

    public TimeSpan Interval { get; } = interval;

    public TimeSpan Length { get; } = window;

    /// <summary>Shows how much is reported.</summary>
    public void Register(MetricRegistry metrics)
    {
        metrics.Observe(new MetricDescription("mesh_load_reports_received_total", MetricType.Counter, "Load reports that clients have sent."), v => v.Value([], Reports));
        metrics.Observe(
            new MetricDescription("mesh_load_report_parts_refused_total", MetricType.Counter, "Parts of load reports that found no place, because there is too much already."), v => v.Value([], Refused));
        metrics.Observe("mesh_load_report_clients", "Clients that have a stream for load reports open.", () =>
        {
            lock (_gate)
            {
                return _nodes.Values.Count(n => n.Streams > 0);
            }
        });
    }

    /// <summary>A client has opened a stream.</summary>
    /// <returns><see langword="null"/> when there are too many.</returns>
    public LoadNode? Open(string id, LoadSource source)
    {
        lock (_gate)
        {
            Trim();
            if (!_nodes.TryGetValue(id, out var node))
            {
                if (_nodes.Count >= MaxNodes)
                {
                    Refused++;
                    return null;
                }

                _nodes.Add(id, node = new LoadNode(id, source));
            }

            node.Source = source;
            node.Streams++;
            node.LastReport = time.GetUtcNow();
            return node;
        }
    }

    /// <summary>Its stream has ended.</summary>
    public void Close(LoadNode node)
    {
        lock (_gate)
        {
            node.Streams--;
        }
    }

    /// <summary>Takes over a report.</summary>
    public void Add(LoadNode node, LoadStatsRequest report)
    {
        lock (_gate)
        {
            Trim();
            var now = time.GetUtcNow();
            var slot = SlotOf(now);
            var covered = now - node.LastReport;
            node.Report(slot, now, covered > TimeSpan.Zero ? covered : TimeSpan.Zero);
            Reports++;
            foreach (var stats in report.ClusterStats)
            {
                var before = node.Count;
                Refused += node.Add(slot, stats, MaxSeries - _series);
                _series += node.Count - before;
            }
        }
    }

    /// <summary>Looks at every client, one after the other.</summary>
    /// <param name="over">How far back to look; cut to the window.</param>
    /// <param name="look">Gets the client, the first slot that counts, and for how long its reports since tell.</param>
    public void Read(TimeSpan over, Action<LoadNode, long, TimeSpan> look)
    {
        lock (_gate)
        {
            Trim();
            var now = time.GetUtcNow();
            var since = SlotOf(now - (over < Length ? over : Length)) + 1;
            foreach (var node in _nodes.Values)
            {
                var covered = node.Covered(since, now, 2 * Interval);
                look(node, since, covered > over ? over : covered);
            }
        }
    }

    // As long as the beat of the reports: who reports more often does not make it hold more.
    private long SlotOf(DateTimeOffset at) => at.UtcTicks / Interval.Ticks;

    private void Trim()
    {
        var oldest = SlotOf(time.GetUtcNow() - Length);
        if (oldest <= _trimmedAt)
        {
            return;
        }

        _trimmedAt = oldest;
        _series = 0;
        foreach (var (id, node) in _nodes)
        {
            node.Trim(oldest);
            _series += node.Count;
            if (node.Count == 0 && node.Streams == 0 && SlotOf(node.LastReport) < oldest)
            {
                _nodes.Remove(id);
            }
        }
    }
}
