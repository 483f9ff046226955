using Envoy.Config.Endpoint.V3;

namespace Mesh.ControlPlane.Load;

/// <summary>One client's reports of the last minutes. Used by whoever holds the window's lock.</summary>
internal sealed class LoadNode(string id, LoadSource source)
{
    // A client that makes up names must not crowd out the others.
    public const int MaxSeries = 5_000;
    public const int MaxCategories = 64;
    private const int MaxNameLength = 512;

    private readonly List<(long Slot, TimeSpan Covered)> _covered = [];
    private readonly Dictionary<LoadTarget, LoadSeries> _series = [];
    private readonly Dictionary<(string Cluster, string Category), List<(long Slot, double Count)>> _dropped = [];

    public string Id { get; } = id;

    public LoadSource Source { get; set; } = source;

    /// <summary>Streams that are open.</summary>
    public int Streams { get; set; }

    /// <summary>When it reported last, or began to.</summary>
    public DateTimeOffset LastReport { get; set; }

    public int Count => _series.Count + _dropped.Count;

    public IEnumerable<KeyValuePair<LoadTarget, LoadSeries>> Series => _series;

    /// <summary>Takes note of one report.</summary>
    /// <param name="slot">The slot of time.</param>
    /// <param name="now">Now.</param>
    /// <param name="covered">Since when it tells.</param>
    public void Report(long slot, DateTimeOffset now, TimeSpan covered)
    {
        LastReport = now;
        if (_covered is [.., var last] && last.Slot == slot)
        {
            _covered[^1] = (slot, last.Covered + covered);
        }
        else
        {
            _covered.Add((slot, covered));
        }
    }

    /// <summary>Takes over what a report says of one cluster.</summary>
    /// <returns>How many of its parts found no place.</returns>
    public int Add(long slot, ClusterStats stats, int room)
    {
        var refused = 0;
        if (stats.ClusterName.Length is 0 or > MaxNameLength)
        {
            return 1;
        }

        foreach (var locality in stats.UpstreamLocalityStats)
        {
            var place = $"{locality.Locality?.Region}/{locality.Locality?.Zone}/{locality.Locality?.SubZone}".TrimEnd('/');
            if (place.Length > MaxNameLength)
            {
                refused++;
                continue;
            }

            Put(new LoadTarget(stats.ClusterName, place, locality.Priority, null), LoadSums.Of(locality), locality.TotalRequestsInProgress, locality.TotalActiveConnections);
            foreach (var endpoint in locality.UpstreamEndpointStats)
            {
                if (LoadAddress.Of(endpoint.Address) is { Length: <= MaxNameLength } address)
                {
                    Put(new LoadTarget(stats.ClusterName, place, locality.Priority, address), LoadSums.Of(endpoint), endpoint.TotalRequestsInProgress, 0);
                }
            }
        }

        foreach (var dropped in stats.DroppedRequests)
        {
            var key = (stats.ClusterName, dropped.Category);
            if (dropped.Category.Length > MaxNameLength
                || (!_dropped.ContainsKey(key) && (_dropped.Count >= MaxSeries || room <= 0 || _dropped.Keys.Count(k => k.Cluster == stats.ClusterName) >= MaxCategories)))
            {
                refused++;
                continue;
            }

            if (!_dropped.TryGetValue(key, out var slots))
            {
                _dropped.Add(key, slots = []);
                room--;
            }

            var count = Math.Min(dropped.DroppedCount, 1e15);
            if (slots is [.., var last] && last.Slot == slot)
            {
                slots[^1] = (slot, last.Count + count);
            }
            else
            {
                slots.Add((slot, count));
            }
        }

        return refused;

        void Put(LoadTarget target, LoadSums sums, ulong inProgress, ulong active)
        {
            if (!_series.TryGetValue(target, out var series))
            {
                if (_series.Count >= MaxSeries || room <= 0)
                {
                    refused++;
                    return;
                }

                _series.Add(target, series = new LoadSeries());
                room--;
            }

            series.Add(slot, sums, inProgress, active);
        }
    }

    /// <summary>Forgets what came before a slot.</summary>
    public void Trim(long oldest)
    {
        _covered.RemoveAll(c => c.Slot < oldest);
        foreach (var (target, series) in _series)
        {
            if (!series.Trim(oldest))
            {
                _series.Remove(target);
            }
        }

        foreach (var (key, slots) in _dropped)
        {
            slots.RemoveAll(s => s.Slot < oldest);
            if (slots.Count == 0)
            {
                _dropped.Remove(key);
            }
        }
    }

    /// <summary>How much time the reports since a slot tell of; silence counts once it is longer than it should be.</summary>
    public TimeSpan Covered(long since, DateTimeOffset now, TimeSpan longestSilence)
    {
        var covered = TimeSpan.Zero;
        foreach (var (slot, part) in _covered)
        {
            covered += slot >= since ? part : TimeSpan.Zero;
        }

        var silence = now - LastReport;
        return Streams == 0 || silence > longestSilence ? covered + silence : covered;
    }

    /// <summary>What it did not send since a slot, by cluster and category.</summary>
    public IEnumerable<(string Cluster, string Category, double Count)> Dropped(long since)
        => _dropped.Select(d => (d.Key.Cluster, d.Key.Category, d.Value.Where(s => s.Slot >= since).Sum(s => s.Count))).Where(d => d.Item3 > 0);
}
