using Envoy.Config.Endpoint.V3;
using Envoy.Service.LoadStats.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.LoadReporting;
using Mesh.Testing;

namespace Mesh.DataPlane.Tests.LoadReporting;

/// <summary>What a report carries (<c>envoy.config.endpoint.v3.ClusterStats</c>), and that each carries only what is new.</summary>
public class ReportedLoadsTests
{
    private static readonly LoadStatsResponse All = new() { SendAllClusters = true };

    private readonly ManualTimeProvider _time = new();
    private readonly LoadStore _store;

    public ReportedLoadsTests() => _store = new LoadStore(_time) { IsReported = true };

    [Fact]
    public void Attempts_are_summed_up_by_locality_and_priority_and_told_once()
    {
        var cluster = _store.Acquire("outbound|80||a");
        var (one, two, other) = (cluster.Endpoint(1), cluster.Endpoint(2), cluster.Endpoint(3, "us/b/c", priority: 1));
        one.Times(5, LoadCount.Issued, LoadCount.Succeeded);
        var loads = Begin();

        one.Times(3, LoadCount.Issued, LoadCount.Succeeded).Times(1, LoadCount.Issued, LoadCount.Failed);
        two.Times(2, LoadCount.Issued);
        other.Times(1, LoadCount.Issued, LoadCount.Abandoned);
        _time.Advance(TimeSpan.FromSeconds(10));

        var stats = Next(loads).ShouldHaveSingleItem();
        (stats.ClusterName, stats.LoadReportInterval.ToTimeSpan()).ShouldBe(("outbound|80||a", TimeSpan.FromSeconds(10)));
        stats.UpstreamLocalityStats.Count.ShouldBe(2);
        var near = stats.UpstreamLocalityStats[0];
        (near.Locality.Region, near.Locality.Zone, near.Locality.SubZone, near.Priority).ShouldBe(("eu", "a", "", 0u));
        (near.TotalIssuedRequests, near.TotalSuccessfulRequests, near.TotalErrorRequests, near.TotalRequestsInProgress).ShouldBe((6UL, 3UL, 1UL, 2UL), "what was before the server asked is not told");
        var far = stats.UpstreamLocalityStats[1];
        (far.Locality.SubZone, far.Priority, far.TotalIssuedRequests, far.TotalSuccessfulRequests, far.TotalErrorRequests, far.TotalRequestsInProgress).ShouldBe(("c", 1u, 1UL, 0UL, 0UL, 0UL));

        two.Times(2, LoadCount.Succeeded);
        _time.Advance(TimeSpan.FromSeconds(20));
        stats = Next(loads).ShouldHaveSingleItem();
        stats.LoadReportInterval.ToTimeSpan().ShouldBe(TimeSpan.FromSeconds(20));
        near = stats.UpstreamLocalityStats.ShouldHaveSingleItem();
        (near.TotalIssuedRequests, near.TotalSuccessfulRequests, near.TotalErrorRequests, near.TotalRequestsInProgress).ShouldBe((0UL, 2UL, 0UL, 0UL));

        Next(loads).ShouldHaveSingleItem().UpstreamLocalityStats.ShouldBeEmpty("a foreign server asked for the cluster, and is told that nothing has happened");
    }

    [Fact]
    public void Endpoints_stand_by_themselves_where_the_server_wants_them()
    {
        var cluster = _store.Acquire("a");
        cluster.Endpoint(8080).Times(0);
        var loads = Begin(response: new LoadStatsResponse { SendAllClusters = true, ReportEndpointGranularity = true });
        cluster.Endpoint(8080).Times(2, LoadCount.Issued, LoadCount.Succeeded);
        cluster.Endpoint(9090);

        var endpoint = Next(loads).ShouldHaveSingleItem().UpstreamLocalityStats.ShouldHaveSingleItem().UpstreamEndpointStats.ShouldHaveSingleItem();
        (endpoint.Address.SocketAddress.Address, endpoint.Address.SocketAddress.PortValue, endpoint.TotalIssuedRequests, endpoint.TotalSuccessfulRequests)
            .ShouldBe(("127.0.0.1", 8080u, 2UL, 2UL));
        endpoint.LoadMetricStats.ShouldBeEmpty("a foreign server is told no more than LRS knows");
    }

    [Fact]
    public void Dropped_requests_stand_by_category_with_their_total()
    {
        var cluster = _store.Acquire("a");
        cluster.Drop("throttle");
        var loads = Begin();
        cluster.Drop("throttle");
        cluster.Drop("throttle");
        cluster.Drop(ClusterLoad.CircuitBreakers);
        cluster.Reply("fault_filter_abort");

        var stats = Next(loads).ShouldHaveSingleItem();
        stats.TotalDroppedRequests.ShouldBe(3UL);
        stats.DroppedRequests.Select(d => (d.Category, d.DroppedCount)).ShouldBe([("throttle", 2UL), ("circuit_breakers", 1UL)], ignoreOrder: true);
        Next(loads).ShouldHaveSingleItem().DroppedRequests.ShouldBeEmpty();
    }

    [Fact]
    public void Mesh_s_own_control_plane_is_told_what_callers_got_and_what_the_mesh_answered()
    {
        var cluster = _store.Acquire("a");
        var idle = _store.Acquire("idle");
        var loads = Begin(isOwn: true);
        var endpoint = cluster.Endpoint(80);
        endpoint.CountRequest(200, -1, TimeSpan.FromMilliseconds(3));
        endpoint.CountRequest(200, 13, TimeSpan.FromMilliseconds(2));
        endpoint.CountRequest(404, -1, TimeSpan.FromMilliseconds(1));
        endpoint.CountRequest(0, -1, TimeSpan.Zero);
        cluster.Unsent.CountRequest(503, -1, TimeSpan.FromMilliseconds(0.5));
        cluster.Reply("fault_filter_abort");

        var stats = Next(loads).ShouldHaveSingleItem();
        stats.ClusterName.ShouldBe("a");
        MetricsOf(stats.UpstreamLocalityStats.Single(l => l.Locality.Region == "eu")).ShouldBe(
            ["mesh.requests_2xx 2 2", "mesh.requests_4xx 1 1", "mesh.requests_0 1 1", "mesh.grpc_errors 1 1", "mesh.request_duration_ms 4 6"]);
        MetricsOf(stats.UpstreamLocalityStats.Single(l => l.Locality.Region == "")).ShouldBe(["mesh.requests_5xx 1 1", "mesh.request_duration_ms 1 0.5"]);
        stats.DroppedRequests.Select(d => (d.Category, d.DroppedCount)).ShouldBe([("mesh.fault_filter_abort", 1UL)]);
        stats.TotalDroppedRequests.ShouldBe(0UL);

        // Nothing since: the message says only that all is well.
        loads.Next().ShouldHaveSingleItem().ClusterStats.ShouldBeEmpty();
        idle.Name.ShouldBe("idle");
    }

    [Fact]
    public void Only_the_clusters_that_are_asked_for_are_told_and_of_a_foreign_server_s_those_that_name_it()
    {
        _store.Acquire("a").Use("service-of-a", new LoadReportingPolicy(true, []));
        _store.Acquire("b").Use(null, LoadReportingPolicy.None);
        var loads = new ReportedLoads(_store, _time, isOwn: false);
        loads.Ask(new LoadStatsResponse { Clusters = { "b" } }, onlyWanted: false);
        Next(loads).Select(s => s.ClusterName).ShouldBe(["b"]);

        loads.Ask(All, onlyWanted: true);
        var stats = Next(loads).ShouldHaveSingleItem();
        (stats.ClusterName, stats.ClusterServiceName).ShouldBe(("a", "service-of-a"));

        loads.Ask(new LoadStatsResponse { Clusters = { "b" } }, onlyWanted: true);
        Next(loads).ShouldBeEmpty();
    }

    [Fact]
    public void What_has_gone_is_told_to_its_end_and_then_forgotten()
    {
        var cluster = _store.Acquire("a");
        var loads = Begin();
        var (stays, goes) = (cluster.Endpoint(1), cluster.Endpoint(2));
        goes.Times(2, LoadCount.Issued).Times(1, LoadCount.Succeeded);
        cluster.Keep(isReported: true, stays);
        Next(loads).ShouldHaveSingleItem().UpstreamLocalityStats.ShouldHaveSingleItem().TotalRequestsInProgress.ShouldBe(1UL);

        goes.Times(1, LoadCount.Failed);
        _store.Release(cluster);
        Next(loads).ShouldHaveSingleItem().UpstreamLocalityStats.ShouldHaveSingleItem().TotalErrorRequests.ShouldBe(1UL);
        _store.All.ShouldBeEmpty();
        Next(loads).ShouldBeEmpty();

        // Where nobody tells, nothing is kept.
        _store.IsReported = false;
        var other = _store.Acquire("b");
        var gone = other.Endpoint(3);
        other.Keep(isReported: false, other.Endpoint(4));
        other.Endpoints().ShouldNotContain(gone);
        _store.Release(other);
        _store.All.ShouldBeEmpty();
    }

    [Fact]
    public void A_cluster_that_comes_while_a_stream_is_open_is_told_from_its_beginning()
    {
        var loads = Begin();
        _time.Advance(TimeSpan.FromSeconds(4));
        _store.Acquire("new").Endpoint(1).Times(1, LoadCount.Issued, LoadCount.Succeeded);
        _time.Advance(TimeSpan.FromSeconds(6));

        var stats = Next(loads).ShouldHaveSingleItem();
        stats.LoadReportInterval.ToTimeSpan().ShouldBe(TimeSpan.FromSeconds(6));
        stats.UpstreamLocalityStats.ShouldHaveSingleItem().TotalIssuedRequests.ShouldBe(1UL);
    }

    [Fact]
    public void What_endpoints_report_of_themselves_is_summed_up_as_the_cluster_asks_per_gRFC_A85()
    {
        var cluster = _store.Acquire("a");
        cluster.Use(null, new LoadReportingPolicy(true, ["cpu_utilization", "named_metrics.queue", "utilization.*"]));
        var endpoint = cluster.Endpoint(1);
        var loads = Begin();
        using var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation("endpoint-load-metrics", "TEXT cpu_utilization=0.5,mem_utilization=0.9,named_metrics.queue=3,named_metrics.other=1,utilization.disk=0.25");
        endpoint.Orca!.Observe(response.Headers);
        endpoint.Orca!.Observe(response.Headers);

        var stats = Next(loads).ShouldHaveSingleItem().UpstreamLocalityStats.ShouldHaveSingleItem();
        stats.CpuUtilization.ShouldBe(new UnnamedEndpointLoadMetricStats { NumRequestsFinishedWithMetric = 2, TotalMetricValue = 1.0 });
        stats.MemUtilization.ShouldBeNull();
        MetricsOf(stats).ShouldBe(["named_metrics.queue 2 6", "utilization.disk 2 0.5"], ignoreOrder: true);
        Next(loads).ShouldHaveSingleItem().UpstreamLocalityStats.ShouldBeEmpty();
    }

    [Fact]
    public void A_report_of_very_many_endpoints_comes_in_several_messages()
    {
        var loads = Begin(isOwn: true, response: new LoadStatsResponse { SendAllClusters = true, ReportEndpointGranularity = true });
        for (var c = 0; c < 10; c++)
        {
            var cluster = _store.Acquire($"c{c}");
            for (var e = 1; e <= 1000; e++)
            {
                cluster.Endpoint(e).Times(1, LoadCount.Issued);
            }
        }

        var messages = loads.Next();
        messages.Count.ShouldBe(3);
        messages.ShouldAllBe(m => m.CalculateSize() < 4 * 1024 * 1024);
        messages.Sum(m => m.ClusterStats.Count).ShouldBe(10);
    }

    [Fact]
    public void Counting_allocates_nothing()
    {
        var cluster = _store.Acquire("a");
        var endpoint = cluster.Endpoint(1);
        cluster.Drop("throttle");
        Allocations.Of(i =>
        {
            endpoint.Count(LoadCount.Issued);
            endpoint.Count(LoadCount.Succeeded);
            endpoint.CountRequest(200 + (i % 400), i % 3, TimeSpan.FromMilliseconds(i));
            cluster.Drop("throttle");
        }).ShouldBe(0);
    }

    [Fact]
    public void Categories_that_somebody_makes_up_do_not_grow()
    {
        var cluster = _store.Acquire("a");
        for (var i = 0; i < 1000; i++)
        {
            cluster.Reply($"rbac_access_denied_matched_policy[p{i}]");
        }

        cluster.Replied.Count().ShouldBe(33);
        cluster.Replied.Sum(r => r.Value.Value).ShouldBe(1000);
        cluster.Replied.Single(r => r.Key == "other").Value.Value.ShouldBe(968);
    }

    private ReportedLoads Begin(bool isOwn = false, LoadStatsResponse? response = null)
    {
        var loads = new ReportedLoads(_store, _time, isOwn);
        loads.Ask(response ?? All, onlyWanted: false);
        return loads;
    }

    private static IReadOnlyList<ClusterStats> Next(ReportedLoads loads) => loads.Next().ShouldHaveSingleItem().ClusterStats;

    private static string[] MetricsOf(UpstreamLocalityStats stats)
        => [.. stats.LoadMetricStats.Select(m => FormattableString.Invariant($"{m.MetricName} {m.NumRequestsFinishedWithMetric} {m.TotalMetricValue}"))];
}
