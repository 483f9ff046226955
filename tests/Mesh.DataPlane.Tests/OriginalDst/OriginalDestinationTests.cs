using System.Net;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.OriginalDst;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests.Dns;
using Cluster = Envoy.Config.Cluster.V3.Cluster;
using DataPlaneCluster = Mesh.DataPlane.Clusters.Cluster;

namespace Mesh.DataPlane.Tests.OriginalDst;

/// <summary>The hosts of a cluster of original destinations, as they come and go.</summary>
public sealed class OriginalDestinationTests : DnsClusterScenario
{
    private static readonly HostKey _address = new("10.0.0.1", 80);

    [Fact]
    public async Task A_host_comes_with_the_first_request_for_it()
    {
        var cluster = Start();
        Addresses(cluster).ShouldBeEmpty();
        cluster.Current.Destinations!.Find(_address).ShouldBeNull();

        var located = await LocateAsync(cluster, _address);

        Addresses(cluster).ShouldBe(["10.0.0.1:80"]);
        cluster.Current.Destinations!.Find(_address).ShouldBeSameAs(located);
        located.Pick().ShouldBeSameAs(cluster.Current.Endpoints.Endpoints[0]);
        cluster.Current.Endpoints.Pick(new DataPlane.LoadBalancing.PickContext(0)).ShouldBeNull("nothing is balanced");
    }

    [Fact]
    public async Task A_host_keeps_its_state_while_others_come()
    {
        var cluster = Start();
        var first = (await LocateAsync(cluster, _address)).Pick()!.State;

        await LocateAsync(cluster, new HostKey("10.0.0.2", 80));
        await LocateAsync(cluster, new HostKey("10.0.0.1", 81));

        Addresses(cluster).Order().ShouldBe(["10.0.0.1:80", "10.0.0.1:81", "10.0.0.2:80"]);
        cluster.Current.Destinations!.Find(_address)!.Pick()!.State.ShouldBeSameAs(first);
    }

    [Fact]
    public async Task A_host_goes_when_nobody_has_asked_for_it_between_two_cleanups()
    {
        var cluster = Start();
        var state = (await LocateAsync(cluster, _address)).Pick()!.State;
        Time.Advance(TimeSpan.FromSeconds(5));
        Addresses(cluster).ShouldBe(["10.0.0.1:80"], "it was used in the interval that ended");
        cluster.Current.Destinations!.Find(_address).ShouldNotBeNull();
        Time.Advance(TimeSpan.FromSeconds(5));
        Addresses(cluster).ShouldBe(["10.0.0.1:80"]);

        Time.Advance(TimeSpan.FromSeconds(5));

        Addresses(cluster).ShouldBeEmpty();
        state.TryAcquire().ShouldBeFalse("retired");
        Time.ActiveTimers.ShouldBe(0, "without hosts nothing is cleaned up");
    }

    [Fact]
    public async Task A_host_stays_while_a_request_is_under_way()
    {
        var cluster = Start(c => c.CleanupInterval = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)));
        var state = (await LocateAsync(cluster, _address)).Pick()!.State;
        state.TryAcquire().ShouldBeTrue();
        Time.Advance(TimeSpan.FromSeconds(60));
        Addresses(cluster).ShouldBe(["10.0.0.1:80"]);

        state.Release();
        Time.Advance(TimeSpan.FromSeconds(2));

        Addresses(cluster).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_request_that_holds_a_host_through_its_cleanup_gets_it_back()
    {
        var cluster = Start();
        var held = await LocateAsync(cluster, _address);
        Time.Advance(TimeSpan.FromSeconds(10));
        Addresses(cluster).ShouldBeEmpty();

        var endpoint = held.Pick().ShouldNotBeNull();

        Addresses(cluster).ShouldBe(["10.0.0.1:80"]);
        endpoint.State.TryAcquire().ShouldBeTrue();
        cluster.Current.Destinations!.Find(_address).ShouldBeSameAs(held);
    }

    [Fact]
    public async Task Another_interval_counts_from_now_on()
    {
        var cluster = Start();
        await LocateAsync(cluster, _address);
        Xds.Set(ClusterType.Instance, Original(c => c.CleanupInterval = Duration.FromTimeSpan(TimeSpan.FromMinutes(1))));

        Time.Advance(TimeSpan.FromSeconds(60));
        Addresses(cluster).ShouldBe(["10.0.0.1:80"]);

        Time.Advance(TimeSpan.FromSeconds(60));
        Addresses(cluster).ShouldBeEmpty();
    }

    [Fact]
    public async Task There_are_so_many_hosts_at_a_time_and_no_more()
    {
        var cluster = Start();
        var busy = new List<EndpointState>();
        for (var i = 0; i < OriginalDestinations.MaxHosts; i++)
        {
            var state = (await LocateAsync(cluster, new HostKey("10.0.0.1", 1 + i))).Pick()!.State;
            state.TryAcquire().ShouldBeTrue();
            busy.Add(state);
        }

        var other = new HostKey("10.0.0.2", 80);
        (await cluster.Current.Destinations!.LocateAsync(other, default)).ShouldBeNull("all of them are busy");

        busy[7].Release();
        (await LocateAsync(cluster, other)).Pick().ShouldNotBeNull();
        cluster.Current.Endpoints.Endpoints.Count.ShouldBe(OriginalDestinations.MaxHosts);
        cluster.Current.Destinations!.Find(new HostKey("10.0.0.1", 8)).ShouldBeNull();
    }

    [Fact]
    public async Task A_name_is_one_host_at_the_first_address_of_its_latest_answer()
    {
        Dns.Answer(Host, 30, "10.0.0.1", "10.0.0.2");
        var cluster = Start(c => c.CleanupInterval = Duration.FromTimeSpan(TimeSpan.FromHours(1)));
        var endpoint = (await LocateAsync(cluster, new HostKey(Host, 9080))).Pick().ShouldNotBeNull();
        (endpoint.ToString(), endpoint.Resource.Hostname, At(endpoint)).ShouldBe(($"{Host}:9080", Host, "10.0.0.1:9080"));
        await AsksAgainAsync(TimeSpan.FromSeconds(30));

        Dns.Answer(Host, 30, "10.0.0.3", "10.0.0.2");
        Time.Advance(TimeSpan.FromSeconds(30));

        At(endpoint).ShouldBe("10.0.0.3:9080");
        cluster.Current.Endpoints.Endpoints.ShouldHaveSingleItem().ShouldBeSameAs(endpoint);
    }

    [Fact]
    public async Task A_name_that_cannot_be_resolved_says_so_and_is_asked_for_again_by_the_clock_alone()
    {
        Dns.Answer(Host, null);
        var cluster = Start(c => c.CleanupInterval = Duration.FromTimeSpan(TimeSpan.FromHours(1)));
        var key = new HostKey(Host, 80);
        var located = await LocateAsync(cluster, key);
        located.Pick().ShouldBeNull();
        (located.Failure.Flags, (int)located.Failure.Status, located.Failure.Body).ShouldBe(("DF", 503, $"DNS resolution failure: {Host} has no addresses"));
        cluster.Current.Destinations!.Find(key).ShouldBeSameAs(located);
        Dns.Times(Host).ShouldBe([0]);
        await AsksAgainAsync(TimeSpan.FromSeconds(0.5));

        Dns.Answer(Host, null, "10.0.0.9");
        Time.Advance(TimeSpan.FromSeconds(1));

        At(located.Pick().ShouldNotBeNull()).ShouldBe("10.0.0.9:80");
    }

    [Fact]
    public async Task A_name_is_waited_for_as_long_as_a_connection_may_take()
    {
        Dns.Hold(Host);
        var cluster = Start(c => c.ConnectTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(2)));
        var locating = cluster.Current.Destinations!.LocateAsync(new HostKey(Host, 80), default).AsTask();
        await Time.WaitForTimerAsync(TimeSpan.FromSeconds(2)).WaitAsync(Hang);
        Time.Advance(TimeSpan.FromSeconds(1.9));
        locating.IsCompleted.ShouldBeFalse();

        Time.Advance(TimeSpan.FromSeconds(0.2));

        var located = (await locating.WaitAsync(Hang)).ShouldNotBeNull();
        located.Pick().ShouldBeNull();
        located.Failure.Body.ShouldBe($"DNS resolution failure: {Host} has not been resolved in time");
    }

    [Fact]
    public async Task Callers_that_ask_at_the_same_time_ask_DNS_once()
    {
        var held = Dns.Hold(Host);
        var cluster = Start();
        var waiting = Enumerable.Range(0, 8).Select(_ => cluster.Current.Destinations!.LocateAsync(new HostKey(Host, 80), default).AsTask()).ToArray();

        held.SetResult(DnsResolution.Of([IPAddress.Parse("10.0.0.1")]));

        var located = await Task.WhenAll(waiting).WaitAsync(Hang);
        located.Distinct().ShouldHaveSingleItem()!.Pick().ShouldNotBeNull();
        Dns.Asked.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_name_is_not_asked_for_any_more_when_its_host_has_gone()
    {
        Dns.Answer(Host, 30, "10.0.0.1");
        var cluster = Start();
        await LocateAsync(cluster, new HostKey(Host, 80));
        await AsksAgainAsync(TimeSpan.FromSeconds(30));

        Time.Advance(TimeSpan.FromMinutes(5));

        Addresses(cluster).ShouldBeEmpty();
        Time.ActiveTimers.ShouldBe(0);
        Dns.Times(Host).ShouldBe([0]);
    }

    [Fact]
    public async Task A_cluster_that_gets_endpoints_of_its_own_lets_go_of_its_destinations()
    {
        var cluster = Start();
        var state = (await LocateAsync(cluster, _address)).Pick()!.State;
        var destinations = cluster.Current.Destinations!;

        Xds.Set(ClusterType.Instance, new Cluster { Name = Name, Type = Cluster.Types.DiscoveryType.Static, LoadAssignment = Resources.Endpoints(Name, 1) });

        cluster.Current.Destinations.ShouldBeNull();
        destinations.IsDisposed.ShouldBeTrue();
        state.TryAcquire().ShouldBeFalse();
        Addresses(cluster).ShouldBe(["127.0.0.1:1"]);
        Time.ActiveTimers.ShouldBe(0);
    }

    [Fact]
    public async Task Finding_a_host_allocates_nothing()
    {
        var cluster = Start();
        await LocateAsync(cluster, _address);

        Allocations.Of(_ => cluster.Current.Destinations!.Find(_address)!.Pick()).ShouldBe(0);
    }

    private static string At(Endpoint endpoint) => LogicalHost.AddressOf(endpoint.Resource.Address).ToString()!;

    private static Cluster Original(Action<Cluster>? configure = null)
    {
        var cluster = new Cluster { Name = Name, Type = Cluster.Types.DiscoveryType.OriginalDst, LbPolicy = Cluster.Types.LbPolicy.ClusterProvided };
        configure?.Invoke(cluster);
        return cluster;
    }

    private static async Task<OriginalDestination> LocateAsync(DataPlaneCluster cluster, HostKey key)
        => (await cluster.Current.Destinations!.LocateAsync(key, default).AsTask().WaitAsync(Hang)).ShouldNotBeNull();

    // Exactly that: the timer of the wait that has just ended may still be there.
    private Task AsksAgainAsync(TimeSpan after) => Time.WaitForTimerAsync(after).WaitAsync(Hang);

    private DataPlaneCluster Start(Action<Cluster>? configure = null) => Acquire(Original(configure));
}
