using System.Buffers;
using System.Text;
using Mesh.Client.Tests.Servers;
using Mesh.Xds.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Client.Tests.Telemetry;

/// <summary>What a real client's metrics show.</summary>
public sealed class ClientMetricsTests
{
    // Scenario P4: what people look for on a sidecar's page.
    [Theory]
    [InlineData("envoy_cluster_assignment_stale")]
    [InlineData("envoy_cluster_assignment_timeout_received")]
    [InlineData("envoy_cluster_bind_errors")]
    [InlineData("envoy_cluster_default_total_match_count")]
    [InlineData("envoy_cluster_http2_dropped_headers_with_underscores")]
    public async Task The_control_plane_is_among_the_clusters(string metric)
    {
        await using var mesh = ClientMesh.Create();

        Lines(mesh).ShouldContain(line => line.StartsWith(metric + "{cluster_name=\"xds-grpc\"} ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_request_is_counted_for_its_service_and_for_its_cluster()
    {
        await using var server = await WebServer.StartAsync(async context =>
        {
            context.Response.StatusCode = context.Request.Path == "/bad" ? 404 : 200;
            await context.Response.WriteAsync("hello");
        });
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        foreach (var path in (string[])["/", "/", "/bad"])
        {
            using var response = await mesh.Client().GetAsync("http://reviews:9080" + path).Within();
        }

        var lines = Lines(mesh);
        Value(lines, "istio_requests_total{", "reporter=\"source\"", "destination_service=\"reviews:9080\"", "response_code=\"200\"").ShouldBe("2");
        Value(lines, "istio_requests_total{", "response_code=\"404\"", "response_flags=\"-\"").ShouldBe("1");
        Value(lines, "istio_response_bytes_sum{", "response_code=\"200\"").ShouldBe("10");
        Value(lines, "envoy_cluster_upstream_rq_total{", "cluster_name=\"reviews:9080\"").ShouldBe("3");
        Value(lines, "envoy_cluster_upstream_rq_xx{", "envoy_response_code_class=\"2\"", "cluster_name=\"reviews:9080\"").ShouldBe("2");
        Value(lines, "envoy_cluster_upstream_rq_xx{", "envoy_response_code_class=\"4\"", "cluster_name=\"reviews:9080\"").ShouldBe("1");
        Value(lines, "envoy_cluster_membership_total{", "cluster_name=\"reviews:9080\"").ShouldBe("1");
        Value(lines, "envoy_cluster_upstream_cx_total{", "cluster_name=\"reviews:9080\"").ShouldBe("1");
    }

    [Fact]
    public async Task There_are_more_than_a_hundred_metrics_and_each_is_named_once()
    {
        await using var mesh = ClientMesh.Create();

        var names = Lines(mesh).Where(line => line.StartsWith("# TYPE ", StringComparison.Ordinal)).ToList();

        names.Count.ShouldBeGreaterThan(100);
        names.ShouldBeUnique();
    }

    [Fact]
    public async Task Istios_metrics_can_be_switched_off()
    {
        await using var server = await WebServer.StartAsync(async context => await context.Response.WriteAsync("hello"));
        await using var mesh = ClientMesh.Create(options: o => o.Metrics.Enabled = false).Serve("reviews:9080", server.Port);
        using var response = await mesh.Client().GetAsync("http://reviews:9080/").Within();

        Lines(mesh).ShouldNotContain(line => line.StartsWith("istio_request", StringComparison.Ordinal));
    }

    private static string Value(string[] lines, string name, params string[] labels)
        => lines.Single(line => line.StartsWith(name, StringComparison.Ordinal) && labels.All(line.Contains)) is var found ? found[(found.LastIndexOf(' ') + 1)..] : "";

    private static string[] Lines(ClientMesh mesh)
    {
        var output = new ArrayBufferWriter<byte>();
        PrometheusText.Write(mesh.Services.GetRequiredService<MetricRegistry>(), output);
        return Encoding.UTF8.GetString(output.WrittenSpan).Split('\n');
    }
}
