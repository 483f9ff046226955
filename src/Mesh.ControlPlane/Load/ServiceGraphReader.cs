using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Load;

/// <summary>Puts together what clients have reported: instances of one workload are one, and endpoints get the names of those who are there.</summary>
internal sealed class ServiceGraphReader(LoadWindow window, Func<MeshModel> model, TimeProvider time)
{
    /// <summary>How long back rates are taken unless somebody says.</summary>
    public static readonly TimeSpan DefaultOver = TimeSpan.FromMinutes(1);

    /// <summary>How far back there is anything to look at.</summary>
    public TimeSpan Longest => window.Length;

    /// <param name="over">Over which time rates are; cut to what is kept.</param>
    public ServiceGraph Read(TimeSpan over)
    {
        over = over < window.Length ? over : window.Length;
        var edges = new Dictionary<(LoadSource, string), Edge>();
        var clients = new List<ServiceGraphClient>();
        window.Read(over, (node, since, covered) =>
        {
            clients.Add(new ServiceGraphClient(node.Id, node.Source, node.Streams > 0, node.LastReport));
            if (covered <= TimeSpan.Zero)
            {
                return;
            }

            var times = 1 / covered.TotalSeconds;
            foreach (var (target, series) in node.Series)
            {
                var sums = series.Since(since);
                var isOpen = node.Streams > 0 && series.LastSlot >= since;
                if (sums.HasAny || (isOpen && series.InProgress + series.ActiveConnections > 0))
                {
                    EdgeOf(node, target.Cluster).Add(node.Id, target, sums, times, isOpen ? series : null);
                }
            }

            foreach (var (cluster, category, count) in node.Dropped(since))
            {
                EdgeOf(node, cluster).Drop(node.Id, category, count * times);
            }
        });

        var workloads = WorkloadsByAddress();
        return new ServiceGraph(
            time.GetUtcNow(),
            over,
            [.. edges.Values.Select(e => e.ToRecord(workloads))
                .OrderBy(e => e.Source.Namespace, StringComparer.Ordinal)
                .ThenBy(e => e.Source.Workload, StringComparer.Ordinal)
                .ThenBy(e => e.Source.Version, StringComparer.Ordinal)
                .ThenBy(e => e.Destination.Cluster, StringComparer.Ordinal)],
            [.. clients.OrderBy(c => c.Node, StringComparer.Ordinal)]);

        Edge EdgeOf(LoadNode node, string cluster)
        {
            if (!edges.TryGetValue((node.Source, cluster), out var edge))
            {
                edges.Add((node.Source, cluster), edge = new Edge(node.Source, cluster));
            }

            return edge;
        }
    }

    private Dictionary<string, LoadSource> WorkloadsByAddress()
    {
        var now = model();
        var workloads = new Dictionary<string, LoadSource>(StringComparer.Ordinal);
        foreach (var service in now.Config.Services)
        {
            foreach (var instance in now.EndpointsOf(service).Instances)
            {
                foreach (var port in service.Ports)
                {
                    if (instance.AddressFor(service, port) is { } address)
                    {
                        var text = address.Ip.StartsWith(NetworkAddress.UnixPrefix, StringComparison.Ordinal) ? address.Ip : address.ToString();
                        workloads.TryAdd(text, new LoadSource(instance.Namespace, instance.Name, instance.CanonicalName, instance.CanonicalRevision, instance.ClusterId));
                    }
                }
            }
        }

        return workloads;
    }

    private sealed class Edge(LoadSource source, string cluster)
    {
        private readonly Dictionary<(string Locality, uint Priority), Part> _localities = [];
        private readonly Dictionary<(string Address, string Locality), Part> _endpoints = [];
        private readonly Dictionary<string, double> _dropped = new(StringComparer.Ordinal);
        private readonly HashSet<string> _nodes = new(StringComparer.Ordinal);
        private readonly Part _all = new();

        public void Add(string node, LoadTarget target, LoadSums sums, double times, LoadSeries? open)
        {
            _nodes.Add(node);
            if (target.Address is { } address)
            {
                Of(_endpoints, (address, target.Locality)).Add(sums, times, open);
                return;
            }

            Of(_localities, (target.Locality, target.Priority)).Add(sums, times, open);
            _all.Add(sums, times, open);
        }

        public void Drop(string node, string category, double perSecond)
        {
            _nodes.Add(node);
            _dropped[category] = _dropped.GetValueOrDefault(category) + perSecond;
        }

        public ServiceGraphEdge ToRecord(Dictionary<string, LoadSource> workloads)
            => new(
                source,
                SubsetKey.TryParse(cluster, out var key) ? new LoadDestination(cluster, key.Host, key.Port, key.Subset) : new LoadDestination(cluster, "", 0, ""),
                _all.ToRates(),
                [.. _localities.OrderBy(l => l.Key.Priority).ThenBy(l => l.Key.Locality, StringComparer.Ordinal).Select(l => new LocalityRates(l.Key.Locality, l.Key.Priority, l.Value.ToRates()))],
                [.. _endpoints.OrderBy(e => e.Key.Address, StringComparer.Ordinal).Select(e => new EndpointRates(e.Key.Address, e.Key.Locality, workloads.GetValueOrDefault(e.Key.Address), e.Value.ToRates()))],
                _dropped,
                _nodes.Count);

        private static Part Of<TKey>(Dictionary<TKey, Part> parts, TKey key)
            where TKey : notnull
        {
            if (!parts.TryGetValue(key, out var part))
            {
                parts.Add(key, part = new Part());
            }

            return part;
        }
    }

    private sealed class Part
    {
        private readonly LoadSums _perSecond = new();
        private double _inProgress;
        private double _connections;

        public void Add(LoadSums sums, double times, LoadSeries? open)
        {
            _perSecond.Add(sums, times);
            _inProgress += open?.InProgress ?? 0;
            _connections += open?.ActiveConnections ?? 0;
        }

        public LoadRates ToRates() => LoadRates.Of(_perSecond, _inProgress, _connections);
    }
}
