using Envoy.Config.Endpoint.V3;
using Envoy.Service.LoadStats.V3;
using Google.Protobuf.WellKnownTypes;

namespace Mesh.DataPlane.LoadReporting;

/// <summary>What one stream has told of the loads so far, so that each report carries what has happened since the one before.</summary>
/// <param name="store">The loads.</param>
/// <param name="time">The clock.</param>
/// <param name="isOwn">The server is Mesh's own: it is told more than LRS has fields for, and only of clusters that something has happened to.</param>
/// <param name="fromBeginning">Nobody has been told anything yet: what was before the server asked is told as well.</param>
internal sealed class ReportedLoads(LoadStore store, TimeProvider time, bool isOwn, bool fromBeginning = false)
{
    /// <summary>Entries of one message; below a gRPC server's 4 MiB.</summary>
    private const int MaxEntries = 4_000;

    private readonly Dictionary<ClusterLoad, Told> _told = [];
    private readonly long _began = time.GetTimestamp();
    private Func<ClusterLoad, bool> _asked = static _ => false;
    private bool _byEndpoint;

    /// <summary>What the server asks to be told; what it asks for anew is counted from now on.</summary>
    /// <param name="response">Its message.</param>
    /// <param name="onlyWanted">Only clusters whose <c>lrs_server</c> names the server.</param>
    public void Ask(LoadStatsResponse response, bool onlyWanted)
    {
        var names = response.Clusters.ToHashSet(StringComparer.Ordinal);
        _asked = cluster => (response.SendAllClusters || names.Contains(cluster.Name)) && (!onlyWanted || cluster.IsWanted);
        _byEndpoint = response.ReportEndpointGranularity;
        var all = store.All;
        foreach (var cluster in all)
        {
            if (_asked(cluster) && !_told.ContainsKey(cluster))
            {
                _told.Add(cluster, fromBeginning ? new Told(cluster, cluster.Created, fromNow: false) : new Told(cluster, time.GetTimestamp(), fromNow: true));
            }
        }

        foreach (var gone in _told.Keys.Where(c => !_asked(c)).ToList())
        {
            _told.Remove(gone);
        }
    }

    /// <summary>What has happened since the last report, in as many messages as it takes; at least one, so that the server knows that all is well.</summary>
    public IReadOnlyList<LoadStatsRequest> Next()
    {
        var now = time.GetTimestamp();
        var messages = new List<LoadStatsRequest> { new() };
        var entries = 0;
        var all = store.All;
        foreach (var cluster in all)
        {
            if (!_asked(cluster))
            {
                continue;
            }

            if (!_told.TryGetValue(cluster, out var told))
            {
                // It has come since the server asked, and so has all that happened to it.
                told = new Told(cluster, Math.Max(cluster.Created, _began), fromNow: cluster.Created < _began);
                _told.Add(cluster, told);
            }

            var stats = told.Next(now, time, isOwn, _byEndpoint);
            if (stats is null)
            {
                continue;
            }

            if (entries > MaxEntries)
            {
                messages.Add(new LoadStatsRequest());
                entries = 0;
            }

            messages[^1].ClusterStats.Add(stats);
            entries += 1 + stats.UpstreamLocalityStats.Sum(l => 1 + l.UpstreamEndpointStats.Count);
        }

        foreach (var gone in _told.Keys.Except(all).ToList())
        {
            _told.Remove(gone);
        }

        store.Sweep();
        return messages;
    }

    /// <summary>One cluster.</summary>
    private sealed class Told
    {
        private readonly ClusterLoad _cluster;
        private readonly Dictionary<string, long> _dropped = new(StringComparer.Ordinal);
        private readonly Dictionary<string, long> _replied = new(StringComparer.Ordinal);
        private Dictionary<EndpointLoad, ToldEndpoint> _endpoints = [];
        private long _since;

        public Told(ClusterLoad cluster, long since, bool fromNow)
        {
            _cluster = cluster;
            _since = since;
            if (fromNow)
            {
                _endpoints = cluster.Endpoints().ToDictionary(e => e, e => new ToldEndpoint(e.Read(), e.Orca?.Read() ?? []));
                Differences(cluster.Dropped, _dropped).Clear();
                Differences(cluster.Replied, _replied).Clear();
            }
        }

        public ClusterStats? Next(long now, TimeProvider time, bool isOwn, bool byEndpoint)
        {
            var stats = new ClusterStats { ClusterName = _cluster.Name, LoadReportInterval = Duration.FromTimeSpan(time.GetElapsedTime(_since, now)) };
            _since = now;
            if (_cluster.ServiceName is { } service && service != _cluster.Name)
            {
                stats.ClusterServiceName = service;
            }

            // 1. Endpoints, by locality.
            var localities = new Dictionary<(string, uint), LocalityLoad>();
            var seen = new Dictionary<EndpointLoad, ToldEndpoint>();
            var all = _cluster.Endpoints();
            byEndpoint &= all.Count <= MaxEntries; // A cluster is not told in parts: one that is too large is told by its localities.
            foreach (var endpoint in all)
            {
                var (numbers, metrics) = (endpoint.Read(), endpoint.Orca?.Read() ?? []);
                _endpoints.TryGetValue(endpoint, out var before);
                seen.Add(endpoint, new ToldEndpoint(numbers, metrics));
                if (endpoint.Address is null && !isOwn)
                {
                    continue;
                }

                var key = (endpoint.Locality, endpoint.Priority);
                if (!localities.TryGetValue(key, out var locality))
                {
                    localities.Add(key, locality = new LocalityLoad(endpoint.Locality, endpoint.Priority));
                }

                locality.Add(endpoint, numbers, before?.Numbers, Differences(metrics, before?.Metrics), isOwn, byEndpoint);
            }

            _endpoints = seen;
            stats.UpstreamLocalityStats.AddRange(localities.Values.Where(l => l.HasAny).Select(l => l.ToMessage(isOwn)));

            // 2. What no endpoint was asked.
            foreach (var (category, count) in Differences(_cluster.Dropped, _dropped))
            {
                stats.TotalDroppedRequests += (ulong)count;
                stats.DroppedRequests.Add(new ClusterStats.Types.DroppedRequests { Category = category, DroppedCount = (ulong)count });
            }

            if (isOwn)
            {
                // Not lost for want of capacity: told beside the total.
                stats.DroppedRequests.AddRange(Differences(_cluster.Replied, _replied).Select(
                    r => new ClusterStats.Types.DroppedRequests { Category = Xds.Ads.LoadReportingMethods.OwnMetrics + r.Category, DroppedCount = (ulong)r.Count }));
            }

            return isOwn && stats.UpstreamLocalityStats.Count + stats.DroppedRequests.Count == 0 ? null : stats;
        }

        private static List<(string Category, long Count)> Differences(IEnumerable<KeyValuePair<string, System.Runtime.CompilerServices.StrongBox<long>>> counts, Dictionary<string, long> before)
        {
            var differences = new List<(string, long)>();
            foreach (var (category, box) in counts)
            {
                var count = Volatile.Read(ref box.Value);
                if (count - before.GetValueOrDefault(category) is > 0 and var more)
                {
                    differences.Add((category, more));
                    before[category] = count;
                }
            }

            return differences;
        }

        private static IReadOnlyList<(string Name, long Count, double Total)> Differences(
            IReadOnlyList<(string Name, long Count, double Total)> now, IReadOnlyList<(string Name, long Count, double Total)>? before)
        {
            if (now.Count == 0 || before is null || before.Count == 0)
            {
                return now;
            }

            var earlier = before.ToDictionary(m => m.Name, StringComparer.Ordinal);
            return [.. now
                .Select(m => earlier.TryGetValue(m.Name, out var was) ? (m.Name, m.Count - was.Count, m.Total - was.Total) : m)
                .Where(m => m.Item2 > 0)];
        }

        private sealed record ToldEndpoint(long[] Numbers, IReadOnlyList<(string Name, long Count, double Total)> Metrics);
    }
}
