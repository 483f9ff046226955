using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Resources;
using Cluster = Envoy.Config.Cluster.V3.Cluster;

#pragma warning disable CS0612 // Deprecated in favour of cluster_type, and what control planes send.

namespace Mesh.DataPlane.Tests.Dns;

/// <summary>Clusters that find their endpoints by name, in virtual time.</summary>
public sealed class DnsClusterTests : DnsClusterScenario
{
    [Fact]
    public async Task Every_address_of_a_name_is_an_endpoint_with_what_is_said_of_its_entry()
    {
        Dns.Answer(Host, 60, "10.0.0.1", "10.0.0.2", "fd00::1").Answer("backup.example.com", 60, "10.1.0.1");
        var message = Strict(Host);
        message.LoadAssignment.Endpoints[0].Locality = new Locality { Region = "eu", Zone = "a" };
        message.LoadAssignment.Endpoints[0].LbEndpoints[0].LoadBalancingWeight = 7;
        message.LoadAssignment.Endpoints[0].LbEndpoints[0].HealthStatus = HealthStatus.Degraded;
        message.LoadAssignment.Endpoints.Add(new LocalityLbEndpoints { Priority = 1, LbEndpoints = { Resources.Endpoint("backup.example.com", 81), Resources.Endpoint("10.9.9.9", 82) } });

        var cluster = await StartAsync(message, names: 2);

        var endpoints = cluster.Current.Endpoints.Endpoints;
        Addresses(cluster).ShouldBe(["10.0.0.1:80", "10.0.0.2:80", "[fd00::1]:80", "10.1.0.1:81", "10.9.9.9:82"]);
        endpoints.Take(3).ShouldAllBe(e => e.Locality == "eu/a" && e.Priority == 0 && e.Resource.Weight == 7 && e.Resource.Health == EndpointHealth.Degraded && e.Resource.Hostname == Host);
        endpoints.Skip(3).ShouldAllBe(e => e.Priority == 1 && e.Resource.Weight == 1);
        Dns.Asked.Select(a => a.Query.Host).Order().ShouldBe([Host, "backup.example.com"]);
    }

    [Fact]
    public async Task A_name_is_asked_for_again_when_its_answer_has_run_out()
    {
        Dns.Answer(Host, 30, "10.0.0.1");
        var cluster = await StartAsync(Strict(Host, m => m.RespectDnsTtl = true));

        Dns.Answer(Host, 90, "10.0.0.2", "10.0.0.3");
        Time.Advance(TimeSpan.FromSeconds(30) - TimeSpan.FromTicks(1));
        Addresses(cluster).ShouldBe(["10.0.0.1:80"]);
        Time.Advance(TimeSpan.FromTicks(1));
        Addresses(cluster).ShouldBe(["10.0.0.2:80", "10.0.0.3:80"]);

        Time.Advance(TimeSpan.FromSeconds(200));
        Dns.Times(Host).ShouldBe([0, 30, 120, 210]);
    }

    [Fact]
    public async Task Without_respect_for_it_every_five_seconds_or_as_the_cluster_says()
    {
        Dns.Answer(Host, 3600, "10.0.0.1");
        await StartAsync(Strict(Host));
        Time.Advance(TimeSpan.FromSeconds(12));
        Dns.Times(Host).ShouldBe([0, 5, 10]);

        Dns.Answer("other.example.com", 3600, "10.0.0.1");
        await StartAsync(Strict("other.example.com", m => m.DnsRefreshRate = Seconds(60)));
        Time.Advance(TimeSpan.FromSeconds(120));
        Dns.Times("other.example.com").ShouldBe([12, 72, 132]);
    }

    [Fact]
    public async Task An_answer_that_holds_for_noTime_is_refreshed_at_the_cluster_s_rate()
    {
        Dns.Answer(Host, 0, "10.0.0.1");
        await StartAsync(Strict(Host, m => (m.RespectDnsTtl, m.DnsRefreshRate) = (true, Seconds(60))));

        Time.Advance(TimeSpan.FromSeconds(60));

        Dns.Times(Host).ShouldBe([0, 60]);
    }

    [Fact]
    public async Task An_answer_that_changes_nothing_rebuilds_nothing()
    {
        Dns.Answer(Host, null, "10.0.0.1", "10.0.0.2");
        var cluster = await StartAsync(Strict(Host));
        var state = cluster.Current;

        Dns.Answer(Host, null, "10.0.0.2", "10.0.0.1");
        Time.Advance(TimeSpan.FromSeconds(5));

        Dns.Asked.Count.ShouldBe(2);
        cluster.Current.ShouldBeSameAs(state);
    }

    [Fact]
    public async Task Endpoints_that_stay_keep_their_connections_and_those_that_go_are_retired()
    {
        Dns.Answer(Host, null, "10.0.0.1", "10.0.0.2");
        var cluster = await StartAsync(Strict(Host));
        var before = cluster.Current.Endpoints.Endpoints.Select(e => e.State).ToList();

        Dns.Answer(Host, null, "10.0.0.2", "10.0.0.3");
        Time.Advance(TimeSpan.FromSeconds(5));

        before[0].TryAcquire().ShouldBeFalse();
        cluster.Current.Endpoints.Endpoints[0].State.ShouldBeSameAs(before[1]);
    }

    [Fact]
    public async Task A_failure_keeps_the_addresses_and_says_why_and_the_next_answer_ends_it()
    {
        Dns.Answer(Host, 30, "10.0.0.1");
        var cluster = await StartAsync(Strict(Host, m => m.RespectDnsTtl = true));
        var set = cluster.Current.Endpoints;

        Dns.Fail(Host);
        Time.Advance(TimeSpan.FromSeconds(30));
        cluster.Current.Endpoints.ShouldBeSameAs(set);
        cluster.Current.Error.ShouldBe($"{Host}: nobody answers");
        cluster.Current.Status.ShouldBe(ClusterStatus.Ready);

        Dns.Answer(Host, 30, "10.0.0.1");
        Time.Advance(TimeSpan.FromSeconds(5));
        cluster.Current.Endpoints.ShouldBeSameAs(set);
        cluster.Current.Error.ShouldBeNull();
        Dns.Times(Host).ShouldBe([0, 30, 35]);
    }

    [Fact]
    public async Task Failures_are_repeated_after_a_random_part_of_aTime_that_doubles_up_to_its_maximum()
    {
        Dns.Fail(Host);
        await StartAsync(Strict(Host, m => m.DnsFailureRefreshRate = new Cluster.Types.RefreshRate { BaseInterval = Seconds(2), MaxInterval = Seconds(10) }));

        // Half of 2, 4, 8, 10, 10.
        Time.Advance(TimeSpan.FromSeconds(17));
        Dns.Times(Host).ShouldBe([0, 1, 3, 7, 12, 17]);

        // An answer begins it anew.
        Dns.Answer(Host, null, "10.0.0.1");
        Time.Advance(TimeSpan.FromSeconds(5));
        Dns.Fail(Host);
        Time.Advance(TimeSpan.FromSeconds(6));
        Dns.Times(Host).Skip(6).ShouldBe([22, 27, 28]);
    }

    [Fact]
    public async Task The_longest_pause_after_failures_is_tenTimes_the_shortest_when_nothing_is_said()
    {
        Dns.Fail(Host);
        await StartAsync(Strict(Host, m => m.DnsFailureRefreshRate = new Cluster.Types.RefreshRate { BaseInterval = Seconds(2) }));

        Time.Advance(TimeSpan.FromSeconds(40));

        Dns.Times(Host).ShouldBe([0, 1, 3, 7, 15, 25, 35]);
    }

    [Fact]
    public async Task Refreshes_come_later_by_chance()
    {
        Dns.Answer(Host, null, "10.0.0.1");
        await StartAsync(Strict(Host, m => m.DnsJitter = Seconds(4)));

        Time.Advance(TimeSpan.FromSeconds(14));

        Dns.Times(Host).ShouldBe([0, 7, 14]);
    }

    [Fact]
    public async Task The_answer_that_there_are_no_addresses_leaves_a_strict_cluster_none_and_is_looked_at_again_soon()
    {
        Dns.Answer(Host, 60, "10.0.0.1");
        var cluster = await StartAsync(Strict(Host, m => m.RespectDnsTtl = true));

        Dns.Answer(Host, 3600);
        Time.Advance(TimeSpan.FromSeconds(60));
        Addresses(cluster).ShouldBeEmpty();

        Dns.Answer(Host, 2);
        Time.Advance(TimeSpan.FromSeconds(7));
        Dns.Times(Host).ShouldBe([0, 60, 65, 67]);
    }

    [Fact]
    public async Task A_cluster_is_pending_until_its_name_is_answered_for()
    {
        var held = Dns.Hold(Host);
        var cluster = Acquire(Strict(Host));
        cluster.Answered.IsCompleted.ShouldBeFalse();

        held.SetResult(DnsResolution.Of([IPAddress.Parse("10.0.0.1")]));

        await cluster.Answered.WaitAsync(Hang);
        Addresses(cluster).ShouldBe(["10.0.0.1:80"]);
    }

    [Fact]
    public async Task A_cluster_whose_name_cannot_be_resolved_is_answered_without_endpoints()
    {
        Dns.Fail(Host);

        var cluster = await StartAsync(Strict(Host));

        (cluster.Current.Status, cluster.Current.Endpoints.Endpoints.Count, cluster.Current.Error).ShouldBe((ClusterStatus.Ready, 0, $"{Host}: nobody answers"));
    }

    [Fact]
    public async Task A_resolver_that_breaks_is_a_failure_like_any_other()
    {
        Dns.On(Host, _ => throw new InvalidOperationException("out of order"));
        var cluster = await StartAsync(Strict(Host));

        Dns.Answer(Host, null, "10.0.0.1");
        Time.Advance(TimeSpan.FromSeconds(5));

        Addresses(cluster).ShouldBe(["10.0.0.1:80"]);
    }

    [Fact]
    public async Task The_first_name_that_is_answered_for_is_enough_to_begin()
    {
        var slow = Dns.Answer(Host, null, "10.0.0.1").Hold("slow.example.com");
        var cluster = Acquire(Strict(Host, m => m.LoadAssignment.Endpoints[0].LbEndpoints.Add(Resources.Endpoint("slow.example.com", 80))));
        await cluster.Answered.WaitAsync(Hang);
        Addresses(cluster).ShouldBe(["10.0.0.1:80"]);

        slow.SetResult(DnsResolution.Of([IPAddress.Parse("10.0.0.2")]));

        await Time.WaitForTimersAsync(2).WaitAsync(Hang);
        Addresses(cluster).ShouldBe(["10.0.0.1:80", "10.0.0.2:80"]);
    }

    [Fact]
    public async Task A_cluster_that_nobody_uses_any_more_asks_no_more()
    {
        Dns.Answer(Host, null, "10.0.0.1");
        var cluster = await StartAsync(Strict(Host));

        Release(cluster);
        Time.Advance(TimeSpan.FromMinutes(5));

        Dns.Asked.Count.ShouldBe(1);
        Time.ActiveTimers.ShouldBe(0);
    }

    [Fact]
    public async Task A_question_under_way_ends_with_its_cluster()
    {
        var asked = new TaskCompletionSource<CancellationToken>();
        Dns.On(Host, async token =>
        {
            asked.SetResult(token);
            await Task.Delay(Timeout.InfiniteTimeSpan, Time, token);
            return DnsResolution.Of([]);
        });
        var cluster = Acquire(Strict(Host));
        var token = await asked.Task.WaitAsync(Hang);
        var ended = new TaskCompletionSource();
        token.Register(ended.SetResult);

        Release(cluster);

        await ended.Task.WaitAsync(Hang);
    }

    [Fact]
    public async Task Another_policy_asks_nobody()
    {
        Dns.Answer(Host, null, "10.0.0.1", "10.0.0.2");
        var cluster = await StartAsync(Strict(Host));
        var states = cluster.Current.Endpoints.Endpoints.Select(e => e.State).ToList();

        Xds.Set(ClusterType.Instance, Strict(Host, m => m.LbPolicy = Cluster.Types.LbPolicy.Random));

        cluster.Current.Policy!.LoadBalancing.ShouldBe(new RandomChoice());
        cluster.Current.Endpoints.Endpoints.Select(e => e.State).ShouldBe(states);
        Dns.Asked.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Endpoints_serve_until_other_names_have_been_answered_for()
    {
        Dns.Answer(Host, null, "10.0.0.1");
        var cluster = await StartAsync(Strict(Host));
        var held = Dns.Hold("new.example.com");

        Xds.Set(ClusterType.Instance, Strict("new.example.com"));
        Addresses(cluster).ShouldBe(["10.0.0.1:80"]);

        held.SetResult(DnsResolution.Of([IPAddress.Parse("10.0.0.9")]));
        await Time.WaitForTimersAsync(1).WaitAsync(Hang);
        Addresses(cluster).ShouldBe(["10.0.0.9:80"]);
    }

    [Fact]
    public async Task A_name_that_stays_keeps_its_addresses_when_the_rest_changes()
    {
        Dns.Answer(Host, null, "10.0.0.1");
        var cluster = await StartAsync(Strict(Host));
        Dns.Hold(Host);

        Xds.Set(ClusterType.Instance, Strict(Host, m => m.LoadAssignment.Endpoints[0].LbEndpoints[0].LoadBalancingWeight = 3));

        cluster.Current.Endpoints.Endpoints.ShouldHaveSingleItem().Resource.Weight.ShouldBe(3u);
    }

    [Fact]
    public async Task A_cluster_may_turn_to_endpoints_of_the_control_plane_and_asks_no_more()
    {
        Dns.Answer(Host, null, "10.0.0.1");
        var cluster = await StartAsync(Strict(Host));

        Xds.Set(EndpointsType.Instance, Resources.Endpoints(Name, 8080));
        Xds.Set(ClusterType.Instance, Resources.Cluster(Name));

        Addresses(cluster).ShouldBe(["127.0.0.1:8080"]);
        Time.Advance(TimeSpan.FromMinutes(1));
        Dns.Asked.Count.ShouldBe(1);
    }
}
