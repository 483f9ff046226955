using System.Net;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Transports;

namespace Mesh.DataPlane.Tests.Clusters;

public class EndpointSetTests
{
    private static readonly TransportSettings Transport = new(UpstreamProtocol.Http11, TimeSpan.FromSeconds(5));

    // Envoy's documentation, "Priority levels": overprovisioning factor 140.
    [Theory]
    [InlineData(100, 100, 100, 0)]
    [InlineData(72, 100, 100, 0)]
    [InlineData(71, 100, 99, 1)]
    [InlineData(50, 100, 70, 30)]
    [InlineData(25, 100, 35, 65)]
    [InlineData(0, 100, 0, 100)]
    [InlineData(25, 25, 50, 50)]
    public void Load_spills_over_to_the_next_priority_as_Envoy_documents_it(int healthy0, int healthy1, int load0, int load1)
    {
        var set = Build(new ClusterPolicy(new RoundRobin(), false, 0, Transport), Level(0, 100, healthy0), Level(1, 100, healthy1));
        var shares = set.Shares.ToDictionary(s => s.Choice.Priority, s => (int)s.Percent);
        (shares.GetValueOrDefault(0u), shares.GetValueOrDefault(1u)).ShouldBe((load0, load1));
    }

    [Theory]
    [InlineData(40, 40, true)] // 56 + 56 ≥ 100: no panic however few are healthy in each
    [InlineData(30, 30, false)] // 42 + 42 < 100 and 30 < 50
    public void A_level_panics_only_when_all_levels_together_cannot_carry_the_load(int healthy0, int healthy1, bool calm)
    {
        var set = Build(new ClusterPolicy(new RoundRobin(), false, 50, Transport), Level(0, 100, healthy0), Level(1, 100, healthy1));
        set.Shares.All(s => s.Choice.Kind == "healthy").ShouldBe(calm);
    }

    // The cases of Envoy's documentation, "Panic threshold", threshold 50; what rounding leaves over goes to the first level, as its code does.
    [Theory]
    [InlineData(72, 72, 100, false, 0, false)]
    [InlineData(71, 71, 99, false, 1, false)]
    [InlineData(50, 60, 70, false, 30, false)]
    [InlineData(25, 100, 35, false, 65, false)]
    [InlineData(25, 25, 50, true, 50, true)]
    [InlineData(5, 65, 8, true, 92, false)]
    public void A_level_panics_as_Envoy_computes_it(int healthy0, int healthy1, int load0, bool panic0, int load1, bool panic1)
    {
        var set = Build(new ClusterPolicy(new RoundRobin(), false, 50, Transport), Level(0, 100, healthy0), Level(1, 100, healthy1));
        var shares = set.Shares.ToDictionary(s => s.Choice.Priority, s => (Percent: (int)s.Percent, Panic: s.Choice.Kind == "panic"));
        shares[0].ShouldBe((load0, panic0));
        shares.GetValueOrDefault(1u).ShouldBe((load1, panic1));
    }

    [Fact]
    public void In_total_panic_levels_take_part_by_their_number_of_hosts()
    {
        var set = Build(new ClusterPolicy(new RoundRobin(), false, 50, Transport), Level(0, 30, 1), Level(1, 60, 0));
        set.Shares.Select(s => (s.Choice.Priority, s.Percent, s.Choice.Kind)).ShouldBe([(0u, 34u, "panic"), (1u, 66u, "panic")]);
    }

    [Fact]
    public void Picks_in_panic_are_counted()
    {
        var stats = new ClusterStats();
        var policy = new ClusterPolicy(new RoundRobin(), false, 50, Transport);
        Builder(policy, new EndpointsResource("c", [Level(0, 10, 1)], 140), stats: stats).Build().Pick(new PickContext(0)).ShouldNotBeNull();
        Builder(policy, new EndpointsResource("c", [Level(0, 10, 1)], 140), stats: stats).Build().Pick(new PickContext(0) { IsRehearsal = true }).ShouldNotBeNull();
        stats.HealthyPanic.Value.ShouldBe(1);
        Builder(policy, new EndpointsResource("c", [Level(0, 10, 9)], 140), stats: stats).Build().Pick(new PickContext(0)).ShouldNotBeNull();
        stats.HealthyPanic.Value.ShouldBe(1);
    }

    [Fact]
    public void Panic_may_fail_the_traffic_instead()
    {
        var policy = new ClusterPolicy(new RoundRobin(), false, 50, Transport) { FailTrafficOnPanic = true };
        Build(policy, Level(0, 10, 1)).Pick(new PickContext(0)).ShouldBeNull();
        Build(policy, Level(0, 10, 8)).Pick(new PickContext(0)).ShouldNotBeNull();
    }

    [Fact]
    public void A_level_may_be_as_available_as_its_hosts_weigh()
    {
        // One of two hosts is healthy, by weight 9 of 10: no request spills over.
        var level = new LocalityResource("", 0, 0, [Endpoint(1, weight: 9), Endpoint(2, EndpointHealth.Unhealthy)]);
        var policy = new ClusterPolicy(new RoundRobin(), false, 0, Transport);
        Shares(false).ShouldBe([70u, 30u]);
        Shares(true).ShouldBe([100u]);

        IEnumerable<uint> Shares(bool weighted) => Builder(policy, new EndpointsResource("c", [level, Level(1, 2, 2)], 140) { WeightedPriorityHealth = weighted }).Build().Shares.Select(s => s.Percent);
    }

    [Fact]
    public void A_retry_leaves_the_priorities_that_were_tried_and_returns_when_none_is_left()
    {
        var set = Build(new ClusterPolicy(new RoundRobin(), false, 0, Transport), Level(0, 10, 5), Level(1, 10, 5), Level(2, 10, 5));
        Counts(0).ShouldBe([70, 30, 0]);
        Counts(0b001).ShouldBe([0, 70, 30]);
        Counts(0b011).ShouldBe([0, 0, 100]);
        Counts(0b101).ShouldBe([0, 100, 0]);
        Counts(0b111).ShouldBe([70, 30, 0]);

        IEnumerable<int> Counts(uint excluded)
        {
            var random = new SequenceRandomSource(100);
            var picks = Enumerable.Range(0, 100).Select(_ => set.Pick(new PickContext(random.NextUInt64()) { ExcludedPriorities = excluded })!.Priority).CountBy(p => p).ToDictionary();
            return Enumerable.Range(0, 3).Select(p => picks.GetValueOrDefault((uint)p));
        }
    }

    [Fact]
    public void A_hash_decides_the_priority_as_well_as_the_host()
    {
        var set = Build(new ClusterPolicy(new RingHash(), false, 0, Transport), Level(0, 10, 5), Level(1, 10, 10));
        foreach (var hash in (ulong[])[0, 69, 1_000_069, 170, 299])
        {
            var picks = Enumerable.Range(0, 50).Select(i => set.Pick(new PickContext((ulong)i << 56) { HasHash = true, Hash = hash })).Distinct();
            picks.ShouldHaveSingleItem()!.Priority.ShouldBe(hash % 100 < 70 ? 0u : 1u);
        }
    }

    [Fact]
    public void A_session_reaches_its_host_while_the_statuses_allow_it()
    {
        var level = new LocalityResource("", 0, 0, [Endpoint(1), Endpoint(2) with { Status = HostStatuses.Draining, Health = EndpointHealth.Unhealthy }, Endpoint(3)]);
        var policy = new ClusterPolicy(new RoundRobin(), false, 0, Transport);
        PortOf(policy, "127.0.0.1:3").ShouldBe(3);
        PortOf(policy, "127.0.0.1:2").ShouldBe(1);
        PortOf(policy, "127.0.0.1:2", strict: true).ShouldBeNull();
        PortOf(policy with { OverrideHostStatuses = HostStatuses.Healthy | HostStatuses.Draining }, "127.0.0.1:2").ShouldBe(2);
        PortOf(policy, "127.0.0.1:9").ShouldBe(1);
        PortOf(policy, "nonsense").ShouldBe(1);

        int? PortOf(ClusterPolicy with, string host, bool strict = false)
            => (Build(with, level).Pick(new PickContext(0) { OverrideHost = host, OverrideHostIsStrict = strict })?.Resource.Address as IPEndPoint)?.Port;
    }

    [Fact]
    public void Panic_disregards_localities()
    {
        var set = Build(
            new ClusterPolicy(new RoundRobin(), true, 50, Transport),
            new LocalityResource("a", 0, 1, [Endpoint(1, EndpointHealth.Unhealthy), Endpoint(2, EndpointHealth.Unhealthy)]),
            new LocalityResource("b", 0, 9, [Endpoint(3, EndpointHealth.Unhealthy)]));
        set.Shares.ShouldHaveSingleItem().Choice.Groups.ShouldHaveSingleItem().Hosts.Length.ShouldBe(3);
    }

    [Fact]
    public void With_nobody_healthy_panic_uses_everybody_and_a_threshold_of_zero_forbids_it()
    {
        Build(new ClusterPolicy(new RoundRobin(), false, 50, Transport), Level(0, 3, 0)).Pick(new PickContext(0)).ShouldNotBeNull();
        Build(new ClusterPolicy(new RoundRobin(), false, 0, Transport), Level(0, 3, 0)).Pick(new PickContext(0)).ShouldBeNull();
    }

    [Fact]
    public void Degraded_hosts_take_what_healthy_ones_cannot()
    {
        var level = new LocalityResource("", 0, 0, [Endpoint(1, EndpointHealth.Healthy), Endpoint(2, EndpointHealth.Degraded), Endpoint(3, EndpointHealth.Degraded), Endpoint(4, EndpointHealth.Degraded)]);
        var set = Build(new ClusterPolicy(new RoundRobin(), false, 0, Transport), level);
        set.Shares.Select(s => (s.Choice.Kind, s.Percent)).ShouldBe([("healthy", 35u), ("degraded", 65u)]);
    }

    [Fact]
    public void Localities_share_by_weight_times_availability()
    {
        // 2 : 1 by weight; the first has half of its hosts, 0.5 × 1.4 = 0.7: 1.4 : 1.
        var set = Build(
            new ClusterPolicy(new RandomChoice(), true, 0, Transport),
            new LocalityResource("a", 0, 2, [Endpoint(1, EndpointHealth.Healthy), Endpoint(2, EndpointHealth.Unhealthy)]),
            new LocalityResource("b", 0, 1, [Endpoint(3, EndpointHealth.Healthy)]));

        var random = new SequenceRandomSource(24_000);
        var picks = Enumerable.Range(0, 24_000).Select(_ => set.Pick(new PickContext(random.NextUInt64()))!.Locality).CountBy(l => l).ToDictionary();
        picks["a"].ShouldBeInRange(14_000 - 2, 14_000 + 2);
        picks["b"].ShouldBeInRange(10_000 - 2, 10_000 + 2);
    }

    [Fact]
    public void Without_endpoints_there_is_no_pick()
        => Build(new ClusterPolicy(new RoundRobin(), false, 50, Transport)).Pick(new PickContext(1)).ShouldBeNull();

    internal static EndpointSet Build(ClusterPolicy policy, params LocalityResource[] localities)
        => Builder(policy, new EndpointsResource("c", localities, 140)).Build();

    internal static EndpointSetBuilder Builder(ClusterPolicy policy, EndpointsResource resource, string? locality = null, ClusterStats? stats = null)
        => new(policy, resource, _ => new EndpointState(() => throw new InvalidOperationException()), _ => new HostGroupState(uint.MaxValue), locality, stats: stats);

    internal static EndpointResource Endpoint(int port, EndpointHealth health = EndpointHealth.Healthy, uint weight = 1)
        => new(new IPEndPoint(IPAddress.Loopback, port), "", weight, health, new Dictionary<string, string>());

    private static LocalityResource Level(uint priority, int hosts, int healthy)
        => new("", priority, 0, [.. Enumerable.Range(1, hosts).Select(i => Endpoint(i, i <= healthy ? EndpointHealth.Healthy : EndpointHealth.Unhealthy))]);
}
