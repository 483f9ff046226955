using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Tests.Clusters;

namespace Mesh.DataPlane.Tests.LoadBalancing;

public sealed class RoundRobinOfManyHostsTests
{
    [Theory]
    [InlineData(10_000, 65_535u)]
    [InlineData(9_999, 2u)]
    [InlineData(65, 1_000u)]
    public void A_pick_takes_one_turn_however_unequal_the_weights_and_shares_are_exact(int light, uint heavy)
    {
        var weights = Enumerable.Repeat(1u, light).Append(heavy).ToArray();
        var state = new HostGroupState(uint.MaxValue);
        var hosts = Hosts(weights);
        var picker = new RoundRobin().CreatePicker(hosts, state);
        var circle = light + (int)heavy;

        var counts = Enumerable.Range(0, circle).Select(_ => picker.Pick(new PickContext(0))).CountBy(host => host).ToDictionary();

        state.NextTurn().ShouldBe((uint)circle);
        counts[hosts[^1]].ShouldBe((int)heavy);
        hosts.Take(light).ShouldAllBe(host => counts[host] == 1);
    }

    [Fact]
    public void Up_to_64_hosts_a_pick_never_takes_more_turns_than_there_are_hosts()
    {
        var state = new HostGroupState(uint.MaxValue);
        var picker = new RoundRobin().CreatePicker(Hosts([.. Enumerable.Repeat(1u, 63), 65_535u]), state);
        var before = state.NextTurn();
        for (var i = 0; i < 10_000; i++)
        {
            picker.Pick(new PickContext(0));
            var now = state.NextTurn();
            (now - before).ShouldBeLessThanOrEqualTo(65u + 64u);
            before = now;
        }
    }

    [Fact]
    public void The_heavy_host_of_many_does_not_come_in_bursts()
    {
        var hosts = Hosts([.. Enumerable.Repeat(1u, 100), 100u]);
        var picker = new RoundRobin().CreatePicker(hosts, new HostGroupState(uint.MaxValue));
        var picks = Enumerable.Range(0, 200).Select(_ => picker.Pick(new PickContext(0)) == hosts[^1]).ToArray();
        for (var i = 0; i + 10 <= picks.Length; i++)
        {
            picks.Skip(i).Take(10).Count(heavy => heavy).ShouldBeInRange(3, 7);
        }
    }

    private static Endpoint[] Hosts(params uint[] weights)
        => [.. weights.Select((w, i) => new Endpoint(EndpointSetTests.Endpoint((i % 60_000) + 1, weight: w), "", 0, new EndpointState(() => throw new InvalidOperationException())))];
}
