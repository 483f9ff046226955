using Envoy.Config.Core.V3;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests.Filters;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.DataPlane.Tests.Telemetry.Metrics;

public sealed class ClusterMetricsTests
{
    [Fact]
    public void Requests_are_counted_by_class_attempts_and_what_befell_them()
    {
        var counts = new ClusterRequestCounts();
        counts.Add(1, 200, "");
        counts.Add(3, 200, "");
        counts.Add(2, 503, "URX,UF");
        counts.Add(1, 504, "UT");
        counts.Add(1, 0, "DC");
        counts.Add(1, 999, "UR");

        (counts.Total, counts.Completed, counts.Of(2), counts.Of(5)).ShouldBe((9, 4, 2, 2));
        (counts.Retries, counts.RetrySuccesses, counts.RetryLimitsExceeded).ShouldBe((3, 1, 1));
        (counts.Timeouts, counts.Cancellations, counts.Resets).ShouldBe((1, 1, 1));
        Allocations.Of(_ => counts.Add(1, 200, "")).ShouldBe(0);
    }

    [Fact]
    public async Task Clusters_of_one_name_for_statistics_have_them_together()
    {
        await using var mesh = new FilterMesh();
        foreach (var name in new[] { "a", "b" })
        {
            var cluster = Resources.Cluster(name);
            cluster.AltStatName = "shop";
            mesh.AddCluster(name).Xds.Set(ClusterType.Instance, cluster);
        }

        var route = Resources.Prefix("/", "b");
        route.ResponseHeadersToAdd.Add(new HeaderValueOption { Header = new HeaderValue { Key = "x-way", Value = "%UPSTREAM_CLUSTER% %UPSTREAM_CLUSTER_RAW%" } });
        mesh.Route(Resources.Prefix("/a", "a"), route);
        (await mesh.GetAsync("/a")).Dispose();
        using (var response = await mesh.GetAsync("/b"))
        {
            response.Headers.GetValues("x-way").ShouldBe(["shop b"]);
        }

        var registry = mesh.Services.GetRequiredService<MetricRegistry>();
        Exposition.Value(registry, "envoy_cluster_upstream_rq_total{cluster_name=\"shop\"}").ShouldBe(2);
        Exposition.Value(registry, "envoy_cluster_upstream_rq_xx{envoy_response_code_class=\"2\",cluster_name=\"shop\"}").ShouldBe(2);
        Exposition.Lines(registry, "envoy_cluster_upstream_rq_total{").ShouldNotContain(l => l.Contains("\"a\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_left_of_limits_is_shown_where_it_is_tracked()
    {
        await using var mesh = new FilterMesh();
        var tracked = Resources.Cluster("tracked");
        tracked.CircuitBreakers = new Envoy.Config.Cluster.V3.CircuitBreakers
        {
            Thresholds = { new Envoy.Config.Cluster.V3.CircuitBreakers.Types.Thresholds { MaxRequests = 7, MaxConnections = 5, TrackRemaining = true } },
        };
        mesh.AddCluster("tracked").Xds.Set(ClusterType.Instance, tracked);
        mesh.Route(Resources.Prefix("/tracked", "tracked"), Resources.Prefix("/", "v1"));
        (await mesh.GetAsync("/tracked")).Dispose();
        (await mesh.GetAsync()).Dispose();

        var registry = mesh.Services.GetRequiredService<MetricRegistry>();
        Exposition.Lines(registry, "envoy_cluster_circuit_breakers_default_remaining_rq{").ShouldBe(["envoy_cluster_circuit_breakers_default_remaining_rq{cluster_name=\"tracked\"} 7"]);
        Exposition.Lines(registry, "envoy_cluster_circuit_breakers_default_remaining_cx{").ShouldBe(["envoy_cluster_circuit_breakers_default_remaining_cx{cluster_name=\"tracked\"} 5"]);
        Exposition.Lines(registry, "envoy_cluster_circuit_breakers_high_remaining_retries{").ShouldBeEmpty();
        Exposition.Value(registry, "envoy_cluster_circuit_breakers_default_rq_open{cluster_name=\"tracked\"}").ShouldBe(0);
        Exposition.Value(registry, "envoy_cluster_lb_healthy_panic{cluster_name=\"v1\"}").ShouldBe(0);
    }
}
