using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests.Clusters;
using Mesh.DataPlane.Transports;

namespace Mesh.DataPlane.Tests.LoadBalancing;

public class ZoneAwareTests
{
    private static readonly TransportSettings Transport = new(UpstreamProtocol.Http11, TimeSpan.FromSeconds(5));

    [Fact]
    public void Requests_stay_in_the_zone_while_its_hosts_are_well()
        => Shares(new ZoneAware(), "a", (4, 4), (4, 4), (4, 4)).ShouldBe([1000, 0, 0]);

    [Fact]
    public void What_a_weakened_zone_cannot_carry_goes_where_capacity_is_left()
    {
        // a has 2 of its 4, b and c all: 20 % of the capacity for 33.33 % of the callers, so 60 % stays and the others share the rest.
        Shares(new ZoneAware(), "a", (4, 2), (4, 4), (4, 4)).ShouldBeAbout(600, 200, 200);
    }

    [Fact]
    public void A_zone_without_healthy_hosts_sends_everything_elsewhere()
        => Shares(new ZoneAware(), "a", (4, 0), (4, 4), (4, 4)).ShouldBeAbout(0, 500, 500);

    [Fact]
    public void A_small_cluster_is_not_divided()
    {
        Shares(new ZoneAware(), "a", (2, 2), (3, 3)).ShouldBeAbout(400, 600);
        Shares(new ZoneAware(MinClusterSize: 5), "a", (2, 2), (3, 3)).ShouldBe([1000, 0]);
    }

    [Fact]
    public void A_process_in_another_zone_or_in_none_spreads_over_all_hosts()
    {
        Shares(new ZoneAware(), "z", (4, 4), (4, 4)).ShouldBeAbout(500, 500);
        Shares(new ZoneAware(), null, (4, 4), (4, 4)).ShouldBeAbout(500, 500);
    }

    [Fact]
    public void The_zone_may_be_forced_while_it_has_enough_hosts()
    {
        Shares(new ZoneAware(ForceLocalZoneMinSize: 2), "a", (8, 2), (4, 4)).ShouldBe([1000, 0]);
        Shares(new ZoneAware(ForceLocalZoneMinSize: 3), "a", (8, 2), (4, 4))[1].ShouldBeGreaterThan(400);
    }

    [Fact]
    public void It_may_be_enabled_for_a_part_of_the_requests()
        => Shares(new ZoneAware(RoutingEnabled: 50), "a", (4, 4), (4, 4)).ShouldBeAbout(750, 250);

    [Fact]
    public void Where_requests_go_is_counted()
    {
        var stats = new ClusterStats();
        Shares(stats, new ZoneAware(), "a", (4, 4), (4, 4), (4, 4));
        (stats.ZoneRoutedDirectly.Value, stats.ZoneSampled.Value, stats.ZoneCrossed.Value, stats.ZoneClusterTooSmall.Value).ShouldBe((1000, 0, 0, 0));

        stats = new ClusterStats();
        Shares(stats, new ZoneAware(), "a", (4, 2), (4, 4), (4, 4)).ShouldBeAbout(600, 200, 200);
        stats.ZoneRoutedDirectly.Value.ShouldBe(0);
        stats.ZoneSampled.Value.ShouldBeInRange(550, 650);
        (stats.ZoneSampled.Value + stats.ZoneCrossed.Value).ShouldBe(1000);

        stats = new ClusterStats();
        Shares(stats, new ZoneAware(), "a", (2, 2), (3, 3));
        stats.ZoneClusterTooSmall.Value.ShouldBeGreaterThan(0);
        (stats.ZoneRoutedDirectly.Value, stats.ZoneSampled.Value, stats.ZoneCrossed.Value, stats.HealthyPanic.Value).ShouldBe((0, 0, 0, 0));
    }

    private static int[] Shares(ZoneAware zoneAware, string? locality, params (int All, int Healthy)[] zones) => Shares(null, zoneAware, locality, zones);

    private static int[] Shares(ClusterStats? stats, ZoneAware zoneAware, string? locality, params (int All, int Healthy)[] zones)
    {
        LocalityResource[] localities =
        [
            .. zones.Select((zone, z) => new LocalityResource(
                ((char)('a' + z)).ToString(),
                0,
                1,
                [.. Enumerable.Range(0, zone.All).Select(i => EndpointSetTests.Endpoint((100 * (z + 1)) + i, i < zone.Healthy ? EndpointHealth.Healthy : EndpointHealth.Unhealthy))])),
        ];
        var policy = new ClusterPolicy(new RandomChoice(), false, 0, Transport) { ZoneAware = zoneAware };
        var set = EndpointSetTests.Builder(policy, new EndpointsResource("c", localities, 140), locality, stats).Build();
        var random = new SequenceRandomSource(1000);
        var counts = Enumerable.Range(0, 1000).Select(_ => set.Pick(new PickContext(random.NextUInt64()))!.Locality).CountBy(l => l).ToDictionary();
        return [.. localities.Select(l => counts.GetValueOrDefault(l.Locality))];
    }
}

file static class Counts
{
    // Draws derived from evenly spread ones are not themselves even.
    public static void ShouldBeAbout(this int[] actual, params int[] expected)
    {
        for (var i = 0; i < expected.Length; i++)
        {
            actual[i].ShouldBeInRange(expected[i] - 50, expected[i] + 50, string.Join(", ", actual));
        }
    }
}
