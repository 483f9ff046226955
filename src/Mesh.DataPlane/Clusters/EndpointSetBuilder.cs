using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.Clusters;

/// <summary>
/// Works out Envoy's load balancing above the policy: priority levels spill over by the overprovisioning factor, a level whose healthy share
/// falls below the panic threshold uses all its hosts, and localities weigh as much as they are healthy.
/// </summary>
internal sealed class EndpointSetBuilder(ClusterPolicy policy, EndpointsResource resource, Func<EndpointResource, EndpointState> state, Func<string, HostGroupState> groupState)
{
    public EndpointSet Build()
    {
        var all = new List<Endpoint>();
        var levels = resource.Localities
            .GroupBy(l => l.Priority)
            .OrderBy(g => g.Key)
            .Select(g => new Level(g.Key, [.. g.Select(l => new Members(l.Locality, l.Weight, [.. l.Endpoints.Select(e => Create(e, l))]))]))
            .ToList();

        foreach (var level in levels)
        {
            all.AddRange(level.All);
        }

        if (all.Count == 0)
        {
            return EndpointSet.Empty;
        }

        var choices = new List<LocalityChoice>();
        var bounds = new List<uint>();
        var sum = 0u;
        foreach (var (percent, choice) in Shares(levels))
        {
            if (percent > 0)
            {
                choices.Add(choice);
                bounds.Add(sum += percent);
            }
        }

        return new EndpointSet(all, [.. choices], [.. bounds]);
    }

    private Endpoint Create(EndpointResource endpoint, LocalityResource locality) => new(endpoint, locality.Locality, locality.Priority, state(endpoint));

    private IEnumerable<(uint Percent, LocalityChoice Choice)> Shares(List<Level> levels)
    {
        var healthy = levels.Select(l => Availability(l, EndpointHealth.Healthy)).ToArray();
        var degraded = levels.Select(l => Availability(l, EndpointHealth.Degraded)).ToArray();
        var total = (uint)Math.Min(100, healthy.Sum(h => h) + degraded.Sum(d => d));

        if (total == 0)
        {
            // Nobody is available anywhere: every level is in panic and takes part by its number of hosts. A threshold of zero forbids panic.
            if (policy.PanicThreshold <= 0)
            {
                yield break;
            }

            foreach (var level in levels.Where(l => l.Count > 0))
            {
                yield return ((uint)level.Count, Choice(level, "panic", _ => true));
            }

            yield break;
        }

        var left = 100u;
        var loads = new (uint Healthy, uint Degraded)[levels.Count];
        for (var i = 0; i < levels.Count; i++)
        {
            loads[i].Healthy = Math.Min(left, (uint)(healthy[i] * 100L / total));
            left -= loads[i].Healthy;
        }

        for (var i = 0; i < levels.Count; i++)
        {
            loads[i].Degraded = Math.Min(left, (uint)(degraded[i] * 100L / total));
            left -= loads[i].Degraded;
        }

        // Integer division leaves a few percent over; they belong to the first level that has load, as in Envoy.
        for (var i = 0; i < levels.Count && left > 0; i++)
        {
            if (loads[i].Healthy > 0)
            {
                loads[i].Healthy += left;
                left = 0;
            }
            else if (loads[i].Degraded > 0)
            {
                loads[i].Degraded += left;
                left = 0;
            }
        }

        for (var i = 0; i < levels.Count; i++)
        {
            var level = levels[i];
            var panic = total < 100 && level.HealthyPercent < policy.PanicThreshold;
            if (panic)
            {
                yield return (loads[i].Healthy + loads[i].Degraded, Choice(level, "panic", _ => true));
                continue;
            }

            if (loads[i].Healthy > 0)
            {
                yield return (loads[i].Healthy, Choice(level, "healthy", e => e.Resource.Health == EndpointHealth.Healthy));
            }

            if (loads[i].Degraded > 0)
            {
                yield return (loads[i].Degraded, Choice(level, "degraded", e => e.Resource.Health == EndpointHealth.Degraded));
            }
        }
    }

    private uint Availability(Level level, EndpointHealth health)
        => level.Count == 0 ? 0 : (uint)Math.Min(100, resource.OverprovisioningFactor * (ulong)level.Having(health) / (ulong)level.Count);

    private LocalityChoice Choice(Level level, string kind, Func<Endpoint, bool> included)
    {
        if (!policy.LocalityWeighted)
        {
            return new LocalityChoice(level.Priority, kind, [Group(level.Priority, kind, "", [.. level.All.Where(included)])], []);
        }

        var groups = new List<HostGroup>();
        var bounds = new List<ulong>();
        var sum = 0UL;
        foreach (var locality in level.Localities)
        {
            Endpoint[] hosts = [.. locality.Hosts.Where(included)];
            if (hosts.Length == 0 || locality.Weight == 0)
            {
                continue;
            }

            // Envoy: weight × min(1, overprovisioning factor × available share).
            var available = Math.Min(1.0, resource.OverprovisioningFactor / 100.0 * hosts.Length / locality.Hosts.Length);
            groups.Add(Group(level.Priority, kind, locality.Name, hosts));
            bounds.Add(sum += Math.Max(1, (ulong)(locality.Weight * available * 1_000_000)));
        }

        // Without any locality weight Envoy falls back to all hosts of the level.
        return groups.Count == 0
            ? new LocalityChoice(level.Priority, kind, [Group(level.Priority, kind, "", [.. level.All.Where(included)])], [])
            : new LocalityChoice(level.Priority, kind, [.. groups], [.. bounds]);
    }

    private HostGroup Group(uint priority, string kind, string locality, Endpoint[] hosts)
        => new(locality, hosts, policy.LoadBalancing.CreatePicker(hosts, groupState($"{priority}/{kind}/{locality}")));

    private sealed record Members(string Name, uint Weight, Endpoint[] Hosts);

    private sealed class Level(uint priority, Members[] localities)
    {
        public uint Priority { get; } = priority;

        public Members[] Localities { get; } = localities;

        public IEnumerable<Endpoint> All => Localities.SelectMany(l => l.Hosts);

        public int Count { get; } = localities.Sum(l => l.Hosts.Length);

        public double HealthyPercent => Count == 0 ? 0 : 100.0 * (Having(EndpointHealth.Healthy) + Having(EndpointHealth.Degraded)) / Count;

        public int Having(EndpointHealth health) => All.Count(e => e.Resource.Health == health);
    }
}
