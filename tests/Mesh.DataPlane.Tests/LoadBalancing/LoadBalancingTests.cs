using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Tests.Clusters;

namespace Mesh.DataPlane.Tests.LoadBalancing;

public class LoadBalancingTests
{
    [Fact]
    public void Round_robin_goes_round()
    {
        var hosts = Hosts(1, 1, 1);
        var picker = new RoundRobin().CreatePicker(hosts, new HostGroupState(uint.MaxValue));
        Enumerable.Range(0, 6).Select(_ => Array.IndexOf(hosts, picker.Pick(new PickContext(0)))).ShouldBe([0, 1, 2, 0, 1, 2]);
    }

    [Theory]
    [InlineData(new uint[] { 1, 2, 3 })]
    [InlineData(new uint[] { 5, 1, 1, 1 })]
    [InlineData(new uint[] { 100, 300, 600 })]
    [InlineData(new uint[] { 7, 13 })]
    public void Weighted_round_robin_gives_each_host_exactly_its_share_of_a_full_cycle(uint[] weights)
    {
        var hosts = Hosts(weights);
        var picker = new RoundRobin().CreatePicker(hosts, new HostGroupState(uint.MaxValue));
        var sum = (int)weights.Aggregate(0u, (a, b) => a + b);
        var counts = Enumerable.Range(0, sum * 10).Select(_ => Array.IndexOf(hosts, picker.Pick(new PickContext(0)))).CountBy(i => i).ToDictionary();
        for (var i = 0; i < weights.Length; i++)
        {
            counts[i].ShouldBe((int)weights[i] * 10);
        }
    }

    [Fact]
    public void Weighted_round_robin_bears_weights_of_any_size()
    {
        var hosts = Hosts(uint.MaxValue, 1, uint.MaxValue / 2);
        var picker = new RoundRobin().CreatePicker(hosts, new HostGroupState(uint.MaxValue));
        var counts = Enumerable.Range(0, 300_000).Select(_ => Array.IndexOf(hosts, picker.Pick(new PickContext(0)))).CountBy(i => i).ToDictionary();
        counts[0].ShouldBeInRange(200_000 - 100, 200_000 + 100);
        counts[2].ShouldBeInRange(100_000 - 100, 100_000 + 100);
    }

    [Fact]
    public void Random_is_exact_over_evenly_spread_draws()
    {
        var hosts = Hosts(1, 2, 7);
        var picker = new RandomChoice().CreatePicker(hosts, new HostGroupState(0));
        var random = new SequenceRandomSource(1000);
        Enumerable.Range(0, 1000).Select(_ => Array.IndexOf(hosts, picker.Pick(new PickContext(random.NextUInt64())))).CountBy(i => i).OrderBy(c => c.Key).Select(c => c.Value).ShouldBe([100, 200, 700]);
    }

    [Fact]
    public void Least_request_takes_the_less_busy_of_its_choices()
    {
        var hosts = Hosts(1, 1);
        for (var i = 0; i < 5; i++)
        {
            hosts[0].State.TryAcquire();
        }

        var picker = new LeastRequest().CreatePicker(hosts, new HostGroupState(0));
        var random = new SequenceRandomSource(1000);
        var busy = Enumerable.Range(0, 1000).Count(_ => picker.Pick(new PickContext(random.NextUInt64())) == hosts[0]);

        // Only when both choices fall on the busy one: a quarter.
        busy.ShouldBeInRange(200, 300);
    }

    [Fact]
    public void Least_request_of_idle_hosts_follows_the_weights()
    {
        var hosts = Hosts(1, 3);
        var picker = new LeastRequest().CreatePicker(hosts, new HostGroupState(0));
        var random = new SequenceRandomSource(1000);
        Enumerable.Range(0, 1000).Count(_ => picker.Pick(new PickContext(random.NextUInt64())) == hosts[1]).ShouldBe(750);
    }

    [Fact]
    public void Least_request_without_bias_goes_round_by_weight()
    {
        var hosts = Hosts(1, 3);
        hosts[1].State.TryAcquire();
        var picker = new LeastRequest(ActiveRequestBias: 0).CreatePicker(hosts, new HostGroupState(uint.MaxValue));
        Enumerable.Range(0, 400).Count(_ => picker.Pick(new PickContext(0)) == hosts[1]).ShouldBe(300);
    }

    [Fact]
    public void Least_request_by_full_scan_never_misses_the_least_busy_and_shares_among_equals()
    {
        var hosts = Hosts(1, 1, 1, 1, 1);
        hosts[0].State.TryAcquire();
        hosts[3].State.TryAcquire();
        var picker = new LeastRequest(FullScan: true).CreatePicker(hosts, new HostGroupState(0));
        var random = new SequenceRandomSource(3000);
        var picks = Enumerable.Range(0, 3000).Select(_ => Array.IndexOf(hosts, picker.Pick(new PickContext(random.NextUInt64())))).CountBy(i => i).ToDictionary();
        picks.Keys.ShouldBe([1, 2, 4], ignoreOrder: true);
        picks.Values.ShouldAllBe(n => n > 900 && n < 1100);
    }

    [Fact]
    public void Pick_first_stays_with_the_first_and_moves_on_when_it_was_no_use()
    {
        var hosts = Hosts(1, 1, 1);
        var picker = new PickFirst().CreatePicker(hosts, new HostGroupState(7));
        Enumerable.Range(0, 4).Select(i => Array.IndexOf(hosts, picker.Pick(new PickContext((ulong)i << 60) { Attempt = (uint)i }))).ShouldBe([0, 1, 2, 0]);
    }

    [Fact]
    public void A_shuffled_pick_first_has_an_order_of_its_own_that_outlives_changes()
    {
        var hosts = Hosts([.. Enumerable.Repeat(1u, 20)]);
        var firsts = Enumerable.Range(0, 200).Select(seed => First(hosts, (uint)seed)).ToArray();
        firsts.Distinct().Count().ShouldBeGreaterThan(10);

        // Only who had the one that is gone moves.
        for (var seed = 0u; seed < 200; seed++)
        {
            if (firsts[seed] != hosts[3])
            {
                First([.. hosts.Where((_, i) => i != 3)], seed).ShouldBeSameAs(firsts[seed]);
            }
        }

        static Endpoint First(Endpoint[] among, uint seed) => new PickFirst(Shuffle: true).CreatePicker(among, new HostGroupState(seed)).Pick(new PickContext(0));
    }

    [Fact]
    public void A_draw_is_followed_by_others_that_do_not_depend_on_which_side_of_a_split_it_fell()
    {
        // 90/10: the second draw of the tenth must again be spread over its whole range.
        var random = new SequenceRandomSource(10_000);
        var next = Enumerable.Range(0, 10_000).Select(_ => random.NextUInt64()).Where(d => d >= ulong.MaxValue / 10 * 9).Select(Draw.Next).ToList();
        next.Count(d => d < ulong.MaxValue / 2).ShouldBeInRange(next.Count * 45 / 100, next.Count * 55 / 100);
    }

    private static Endpoint[] Hosts(params uint[] weights)
        => [.. weights.Select((w, i) => new Endpoint(EndpointSetTests.Endpoint(i + 1, weight: w), "", 0, new EndpointState(() => throw new InvalidOperationException())))];
}
