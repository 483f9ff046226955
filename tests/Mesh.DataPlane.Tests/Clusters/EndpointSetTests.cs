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
        => new EndpointSetBuilder(policy, new EndpointsResource("c", localities, 140), _ => new EndpointState(() => throw new InvalidOperationException()), _ => new HostGroupState(0)).Build();

    internal static EndpointResource Endpoint(int port, EndpointHealth health = EndpointHealth.Healthy, uint weight = 1)
        => new(new IPEndPoint(IPAddress.Loopback, port), "", weight, health, new Dictionary<string, string>());

    private static LocalityResource Level(uint priority, int hosts, int healthy)
        => new("", priority, 0, [.. Enumerable.Range(1, hosts).Select(i => Endpoint(i, i <= healthy ? EndpointHealth.Healthy : EndpointHealth.Unhealthy))]);
}
