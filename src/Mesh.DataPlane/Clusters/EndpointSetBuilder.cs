using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.LoadReporting;
using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.Clusters;

/// <summary>
/// Works out Envoy's load balancing above the policy: priority levels spill over by the overprovisioning factor, a level whose healthy share
/// falls below the panic threshold uses all its hosts, and localities weigh as much as they are healthy.
/// </summary>
internal sealed class EndpointSetBuilder(
    ClusterPolicy policy,
    EndpointsResource resource,
    Func<EndpointResource, EndpointState> state,
    Func<string, HostGroupState> groupState,
    string? locality = null,
    ClusterLoad? load = null,
    ClusterStats? stats = null)
{
    public EndpointSet Build()
    {
        var all = new List<Endpoint>();
        var levels = resource.Localities
            .GroupBy(l => l.Priority)
            .OrderBy(g => g.Key)
            .Select(g => new Level(g.Key, [.. g.Select(l => new LocalityHosts(l.Locality, l.Weight, [.. l.Endpoints.Select(e => Create(e, l))]))]))
            .ToList();

        foreach (var level in levels)
        {
            all.AddRange(level.All);
        }

        if (all.Count == 0)
        {
            return EndpointSet.Empty;
        }

        if (policy.LoadBalancing is ClusterProvided)
        {
            return new EndpointSet(all, [], []);
        }

        var healthy = levels.Select(l => Availability(l, EndpointHealth.Healthy)).ToArray();
        var degraded = levels.Select(l => Availability(l, EndpointHealth.Degraded)).ToArray();
        var total = PriorityLoads.Total(healthy, degraded);
        var panicking = levels.Select(l => total < 100 && l.AvailablePercent < policy.PanicThreshold).ToArray();

        var loads = new uint[2 * levels.Count];
        if (panicking.All(p => p))
        {
            PriorityLoads.DistributeByCount([.. levels.Select(l => l.Count)], loads);
        }
        else if (!PriorityLoads.Distribute(healthy, degraded, loads))
        {
            // Nobody is available, and a threshold of zero forbids panic.
            return new EndpointSet(all, [], []);
        }

        var built = new PriorityLevel[levels.Count];
        for (var i = 0; i < built.Length; i++)
        {
            var level = levels[i];
            var panic = panicking[i] ? Panic(level) : null;
            built[i] = new PriorityLevel(
                level.Priority,
                healthy[i],
                degraded[i],
                panicking[i],
                panicking[i] ? panic : Choice(level, "healthy", EndpointHealth.Healthy),
                panicking[i] ? panic : Choice(level, "degraded", EndpointHealth.Degraded));
        }

        return new EndpointSet(all, built, loads, policy.LoadBalancing is ConsistentHashing, policy.OverrideHostStatuses) { DropShare = resource.DropShare, DropCategories = resource.DropCategories };
    }

    private Endpoint Create(EndpointResource endpoint, LocalityResource place)
        => new(endpoint, place.Locality, place.Priority, state(endpoint)) { Load = load?.Of(place, endpoint) ?? EndpointLoad.Unreported };

    private static EndpointHealth HealthOf(Endpoint host) => host.Health;

    private uint Availability(Level level, EndpointHealth health)
        => resource.WeightedPriorityHealth
            ? PriorityLoads.Availability(level.Weight(h => HealthOf(h) == health), level.Weight(h => !h.IsExcluded), resource.OverprovisioningFactor)
            : PriorityLoads.Availability((ulong)level.Having(health), (ulong)level.Counted, resource.OverprovisioningFactor);

    private LocalityChoice? Panic(Level level)
    {
        if (level.Count == 0 || policy.FailTrafficOnPanic)
        {
            return null;
        }

        // Panic disregards localities as it does health; a ring keeps their weights.
        var picks = stats is null ? null : new LocalityPicks(stats);
        return policy.LoadBalancing is ConsistentHashing hashing
            ? Hashed(hashing, level, "panic", level.Localities, picks)
            : Everywhere(level, "panic", [.. level.All], picks);
    }

    private LocalityChoice? Choice(Level level, string kind, EndpointHealth health)
    {
        LocalityHosts[] localities = [.. level.Localities.Select(l => l with { Hosts = [.. l.Hosts.Where(h => HealthOf(h) == health)] })];
        if (localities.All(l => l.Hosts.Length == 0))
        {
            return null;
        }

        if (policy.LoadBalancing is ConsistentHashing hashing)
        {
            return Hashed(hashing, level, kind, localities);
        }

        if (policy.LocalityWeighted)
        {
            var weights = new List<(LocalityHosts, ulong)>();
            for (var i = 0; i < localities.Length; i++)
            {
                // Envoy: weight × min(1, overprovisioning factor × available share).
                var (available, hosts) = (localities[i].Hosts.Length, Math.Max(localities[i].Hosts.Length, level.Localities[i].Hosts.Count(h => !h.IsExcluded)));
                if (available > 0 && localities[i].Weight > 0)
                {
                    weights.Add((localities[i], Math.Max(1, (ulong)(localities[i].Weight * Math.Min(1.0, resource.OverprovisioningFactor / 100.0 * available / hosts) * 1_000_000))));
                }
            }

            // Without any locality weight Envoy falls back to all hosts of the level.
            if (weights.Count > 0)
            {
                return Weighted(level, kind, weights);
            }
        }
        else if (policy.ZoneAware is { } zoneAware && locality is not null && level.Priority == 0)
        {
            stats?.ZonesRecalculated.Increment();
            if (zoneAware.Weigh(localities, level.Localities, locality) is { } shares)
            {
                return Weighted(level, kind, shares, stats is null ? null : new LocalityPicks(stats, locality, shares.All(s => s.Locality.Name == locality || s.Locality.Name.Length == 0)));
            }

            if ((ulong)localities.Sum(l => l.Hosts.Length) < zoneAware.MinClusterSize)
            {
                stats?.ZoneClusterTooSmall.Increment();
            }
        }

        return Everywhere(level, kind, [.. localities.SelectMany(l => l.Hosts)]);
    }

    private LocalityChoice Hashed(ConsistentHashing hashing, Level level, string kind, LocalityHosts[] localities, LocalityPicks? picks = null)
    {
        var present = localities.Where(l => l.Hosts.Length > 0);
        (Endpoint[], uint)[] weighted = [.. policy.LocalityWeighted ? present.Where(l => l.Weight > 0).Select(l => (l.Hosts, l.Weight)) : []];
        if (weighted.Length == 0)
        {
            weighted = [([.. present.SelectMany(l => l.Hosts)], 1)];
        }

        return new LocalityChoice(level.Priority, kind, [new HostGroup("", [.. weighted.SelectMany(l => l.Item1)], hashing.CreatePicker(weighted))], [], picks);
    }

    private LocalityChoice Weighted(Level level, string kind, IReadOnlyList<(LocalityHosts Locality, ulong Weight)> weights, LocalityPicks? picks = null)
    {
        var groups = new HostGroup[weights.Count];
        var bounds = new ulong[weights.Count];
        var sum = 0UL;
        for (var i = 0; i < groups.Length; i++)
        {
            groups[i] = Group(level.Priority, kind, weights[i].Locality.Name, weights[i].Locality.Hosts);
            bounds[i] = sum += weights[i].Weight;
        }

        return new LocalityChoice(level.Priority, kind, groups, bounds, picks);
    }

    private LocalityChoice Everywhere(Level level, string kind, Endpoint[] hosts, LocalityPicks? picks = null)
        => new(level.Priority, kind, [Group(level.Priority, kind, "", hosts)], [], picks);

    private HostGroup Group(uint priority, string kind, string locality, Endpoint[] hosts)
        => new(locality, hosts, policy.LoadBalancing.CreatePicker(hosts, groupState($"{priority}/{kind}/{locality}")));

    private sealed class Level(uint priority, LocalityHosts[] localities)
    {
        public uint Priority { get; } = priority;

        public LocalityHosts[] Localities { get; } = localities;

        public IEnumerable<Endpoint> All => Localities.SelectMany(l => l.Hosts);

        public int Count { get; } = localities.Sum(l => l.Hosts.Length);

        /// <summary>Hosts that the sums count; the others take part in panic only.</summary>
        public int Counted { get; } = localities.Sum(l => l.Hosts.Count(h => !h.IsExcluded));

        public double AvailablePercent => Counted == 0 ? 0 : 100.0 * (Having(EndpointHealth.Healthy) + Having(EndpointHealth.Degraded)) / Counted;

        public int Having(EndpointHealth health) => All.Count(e => HealthOf(e) == health);

        public ulong Weight(Func<Endpoint, bool> included) => All.Where(included).Aggregate(0UL, (sum, host) => sum + host.Resource.Weight);
    }
}
