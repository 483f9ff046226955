using System.Net;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.LoadBalancing.Hashing;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests.Clusters;

namespace Mesh.DataPlane.Tests.LoadBalancing;

/// <summary>Expected hosts come from a separate implementation of Envoy's two algorithms over libxxhash, which reproduces Envoy's published ring of six hosts.</summary>
public class ConsistentHashingTests
{
    private static readonly Endpoint[] Weighted = [Host("10.0.0.1:80", 1), Host("10.0.0.2:80", 2), Host("10.0.0.3:80", 5), Host("[2001:db8::1]:8443", 3)];

    [Fact]
    public void The_ring_of_six_hosts_is_the_one_that_Envoy_documents()
    {
        // Port and hash of each entry, in the ring's order.
        (int Port, ulong Hash)[] ring =
        [
            (94, 833437586790550860), (92, 928266305478181108), (90, 1033482794131418490), (95, 3551244743356806947),
            (93, 3851675632748031481), (91, 5583722120771150861), (91, 6311230543546372928), (93, 7700377290971790572),
            (95, 13144177310400110813), (92, 13444792449719432967), (94, 15516499411664133160), (90, 16117243373044804889),
        ];
        Endpoint[] hosts = [.. Enumerable.Range(90, 6).Select(port => Host($"127.0.0.1:{port}", 1))];
        var picker = new RingHash(MinimumRingSize: 12).CreatePicker(hosts, new HostGroupState(0));
        for (var i = 0; i < ring.Length; i++)
        {
            PortOf(picker.Pick(Hash(ring[i].Hash))).ShouldBe(ring[i].Port);
            PortOf(picker.Pick(Hash(ring[i].Hash + 1))).ShouldBe(ring[(i + 1) % ring.Length].Port);
            PortOf(picker.Pick(Hash(ring[i].Hash, attempt: 3))).ShouldBe(ring[(i + 3) % ring.Length].Port);
        }

        PortOf(picker.Pick(Hash(0))).ShouldBe(94);
        PortOf(picker.Pick(Hash(ulong.MaxValue))).ShouldBe(94);
    }

    [Fact]
    public void The_Maglev_table_of_six_hosts_and_seven_entries_is_Envoys()
    {
        Endpoint[] hosts = [.. Enumerable.Range(90, 6).Select(port => Host($"127.0.0.1:{port}", 1))];
        var picker = new Maglev(TableSize: 7).CreatePicker(hosts, new HostGroupState(0));
        Enumerable.Range(0, 7).Select(i => PortOf(picker.Pick(Hash((ulong)i)))).ShouldBe([92, 94, 90, 91, 95, 90, 93]);
    }

    [Theory]
    [InlineData(0, new[] { 3, 2, 1, 3, 3, 2, 3, 2, 3, 1, 3, 2, 2, 3, 1, 3, 2, 3, 2, 1, 1, 2, 2, 0 })]
    [InlineData(1, new[] { 3, 2, 3, 2, 1, 0, 2, 2, 1, 1, 1, 0, 3, 2, 2, 2, 0, 1, 3, 0, 2, 3, 3, 2 })]
    [InlineData(2, new[] { 2, 3, 2, 2, 2, 1, 2, 2, 2, 3, 2, 2, 3, 2, 3, 3, 1, 1, 2, 1, 2, 2, 2, 0 })]
    public void A_ring_of_weighted_hosts_maps_keys_as_Envoys_does(int attempt, int[] expected) => Keys(new RingHash(), (uint)attempt).ShouldBe(expected);

    [Theory]
    [InlineData(0, new[] { 0, 1, 3, 0, 2, 2, 1, 3, 2, 2, 3, 3, 3, 1, 2, 0, 3, 2, 3, 2, 0, 2, 0, 2 })]
    [InlineData(1, new[] { 3, 2, 2, 1, 3, 3, 3, 2, 1, 2, 0, 1, 1, 2, 1, 3, 2, 1, 2, 3, 2, 1, 2, 2 })]
    [InlineData(2, new[] { 3, 2, 2, 2, 3, 2, 2, 2, 3, 3, 2, 2, 2, 3, 2, 0, 3, 0, 2, 1, 0, 2, 1, 2 })]
    public void A_Maglev_table_of_weighted_hosts_maps_keys_as_Envoys_does(int attempt, int[] expected) => Keys(new Maglev(), (uint)attempt).ShouldBe(expected);

    [Fact]
    public void The_order_in_which_hosts_are_sent_does_not_matter()
    {
        foreach (var policy in new ConsistentHashing[] { new RingHash(), new Maglev() })
        {
            var hosts = Hundred();
            var there = policy.CreatePicker(hosts, new HostGroupState(0));
            var back = policy.CreatePicker([.. hosts.Reverse()], new HostGroupState(0));
            Enumerable.Range(0, 2000).ShouldAllBe(i => there.Pick(Key($"k{i}")) == back.Pick(Key($"k{i}")));
        }
    }

    [Fact]
    public void Moving_one_of_a_hundred_hosts_disturbs_at_most_twice_its_share_of_the_keys()
    {
        const int Keys = 20_000;
        foreach (var policy in new ConsistentHashing[] { new RingHash(), new RingHash(MinimumRingSize: 10_000), new Maglev() })
        {
            for (var moved = 0; moved < 100; moved += 9)
            {
                var before = Hundred();
                var after = (Endpoint[])before.Clone();
                after[moved] = Host("10.9.9.9:80", 1);
                var (there, now) = (policy.CreatePicker(before, new HostGroupState(0)), policy.CreatePicker(after, new HostGroupState(0)));
                var disturbed = Enumerable.Range(0, Keys).Count(i => there.Pick(Key($"k{i}")) != now.Pick(Key($"k{i}")));

                // One host leaves and one comes: ideally a hundredth goes and a hundredth is taken.
                disturbed.ShouldBeLessThanOrEqualTo(2 * 2 * Keys / 100, $"{policy} without host {moved}");
            }
        }
    }

    [Fact]
    public void Removing_one_of_a_hundred_hosts_from_a_Maglev_table_disturbs_at_most_twice_its_share_of_the_keys()
    {
        // A ring, built as Envoy builds it, gives every host more entries when there are fewer hosts, and moves keys by that as well.
        const int Keys = 20_000;
        var hosts = Hundred();
        var all = new Maglev().CreatePicker(hosts, new HostGroupState(0));
        for (var removed = 0; removed < 100; removed += 9)
        {
            var rest = new Maglev().CreatePicker([.. hosts.Where((_, i) => i != removed)], new HostGroupState(0));
            Enumerable.Range(0, Keys).Count(i => all.Pick(Key($"k{i}")) != rest.Pick(Key($"k{i}"))).ShouldBeLessThanOrEqualTo(2 * Keys / 100, $"without host {removed}");
        }
    }

    [Fact]
    public void Maglev_spreads_keys_within_five_percent_of_ideal()
    {
        var picker = new Maglev().CreatePicker(Hundred(), new HostGroupState(0));

        // Every entry of the table once: the spread itself, not that of some keys.
        var counts = Enumerable.Range(0, 65537).Select(i => picker.Pick(Hash((ulong)i))).CountBy(h => h).Select(c => c.Value).ToArray();
        counts.Length.ShouldBe(100);
        counts.Min().ShouldBeGreaterThan((int)(655.37 * 0.95));
        counts.Max().ShouldBeLessThan((int)(655.37 * 1.05));
    }

    [Fact]
    public void More_hosts_than_a_byte_tells_apart_have_a_table_as_well()
    {
        Endpoint[] hosts = [.. Enumerable.Range(0, 300).Select(i => Host($"10.1.{i / 250}.{i % 250}:80", 1))];
        var picker = new Maglev().CreatePicker(hosts, new HostGroupState(0));
        Enumerable.Range(0, 65537).Select(i => picker.Pick(Hash((ulong)i))).Distinct().Count().ShouldBe(300);
    }

    [Fact]
    public void Without_a_hash_a_request_goes_anywhere()
    {
        var random = new SequenceRandomSource(1000);
        var picker = new RingHash().CreatePicker(Hundred(), new HostGroupState(0));
        Enumerable.Range(0, 1000).Select(_ => picker.Pick(new PickContext(random.NextUInt64()))).Distinct().Count().ShouldBeGreaterThan(90);
    }

    [Fact]
    public void Hosts_are_placed_by_hash_key_then_name_then_address()
    {
        var address = Host("10.0.0.1:80", 1);
        var named = address with { Resource = address.Resource with { Hostname = "a.example" } };
        var keyed = named with { Resource = named.Resource with { HashKey = "blue" } };
        HashedHost.Normalize([([address, named, keyed], 1)], useHostname: true).Select(h => h.Key).ShouldBe(["10.0.0.1:80", "a.example", "blue"]);
        HashedHost.Normalize([([address, named, keyed], 1)], useHostname: false).Select(h => h.Key).ShouldBe(["10.0.0.1:80", "10.0.0.1:80", "blue"]);
    }

    [Fact]
    public void A_locality_has_its_own_share_whatever_its_hosts_weigh()
        => HashedHost.Normalize([([Weighted[0], Weighted[2]], 3), ([Weighted[3]], 1), ([Weighted[1]], 0)], false).Select(h => Math.Round(h.Weight, 6)).ShouldBe([0.125, 0.625, 0.25]);

    [Fact]
    public void A_bounded_load_sends_the_overflow_of_a_hash_elsewhere_and_always_the_same_way()
    {
        Endpoint[] hosts = [.. Enumerable.Range(0, 5).Select(i => Host($"10.0.0.{i}:80", 1))];
        var picker = new RingHash(BalanceFactor: 120).CreatePicker(hosts, new HostGroupState(0));
        var favourite = picker.Pick(Key("hot"));
        for (var i = 0; i < 50; i++)
        {
            var host = picker.Pick(Key("hot"));
            host.State.TryAcquire();

            // Envoy lets a host reach its slots, so one more than its part may be under way.
            var slots = Math.Ceiling(Math.Ceiling((i + 1) * 1.2) / 5);
            host.State.ActiveRequests.ShouldBeLessThanOrEqualTo((int)slots + 1);
        }

        favourite.State.ActiveRequests.ShouldBeInRange(10, 13);
        hosts.Sum(h => h.State.ActiveRequests).ShouldBe(50);
        picker.Pick(Key("hot")).ShouldBeSameAs(picker.Pick(Key("hot")));
    }

    [Fact]
    public void A_pick_allocates_nothing()
    {
        foreach (var policy in new ConsistentHashing[] { new RingHash(), new Maglev(), new RingHash(BalanceFactor: 100) })
        {
            var hosts = Hundred();
            hosts[0].State.TryAcquire();
            var picker = policy.CreatePicker(hosts, new HostGroupState(0));
            Allocations.Of(i => picker.Pick(Hash((ulong)i * 0x9E3779B97F4A7C15))).ShouldBe(0);
        }
    }

    private static IEnumerable<int> Keys(ConsistentHashing policy, uint attempt)
    {
        var picker = policy.CreatePicker(Weighted, new HostGroupState(0));
        return Enumerable.Range(0, 24).Select(i => Array.IndexOf(Weighted, picker.Pick(Hash(XxHash64.Hash($"user-{i}"), attempt))));
    }

    private static Endpoint[] Hundred() => [.. Enumerable.Range(0, 100).Select(i => Host($"10.0.1.{i}:8080", 1))];

    private static PickContext Key(string key) => Hash(XxHash64.Hash(key));

    private static PickContext Hash(ulong hash, uint attempt = 0) => new(0) { HasHash = true, Hash = hash, Attempt = attempt };

    private static Endpoint Host(string address, uint weight)
        => new(new EndpointResource(IPEndPoint.Parse(address), "", weight, EndpointHealth.Healthy, new Dictionary<string, string>()), "", 0, new EndpointState(() => throw new InvalidOperationException()));

    private static int PortOf(Endpoint host) => ((IPEndPoint)host.Resource.Address).Port;
}
