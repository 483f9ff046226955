using System.Buffers;
using System.Text;
using Mesh.EndToEnd.Tests.Lab;
using Mesh.Xds.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.EndToEnd.Tests.Signals;

/// <summary>From a Telemetry document to what a running client counts, and to something else when the document changes.</summary>
public class TelemetryMetricsTests
{
    private const string Reviews = """
        apiVersion: v1
        kind: Service
        metadata: {name: reviews}
        spec:
          selector: {app: reviews}
          ports: [{name: http, port: 9080}]
        """;

    [Fact]
    public async Task Labels_come_and_go_and_metrics_are_switched_off_and_on_while_it_runs()
    {
        await using var mesh = await PodMesh.StartAsync(Reviews);
        await mesh.AddPodAsync("reviews");
        var caller = mesh.Application(new MeshWorkload("web") { Namespace = "default" });
        var client = caller.GetRequiredService<IHttpClientFactory>().CreateClient();
        var registry = caller.GetRequiredService<MetricRegistry>();

        // 1. With no document: Istio's labels.
        await client.GetStringAsync("http://reviews:9080/");
        var usual = Requests(registry).ShouldHaveSingleItem();
        usual.ShouldContain("response_flags=\"-\"");
        usual.ShouldNotContain("request_host=");
        usual.ShouldContain("destination_workload=\"");
        Families(registry).ShouldContain("istio_request_bytes");

        // 2. The mesh adds a label and removes one.
        await mesh.ApplyAsync("""
            apiVersion: telemetry.istio.io/v1
            kind: Telemetry
            metadata: {name: mesh, namespace: istio-system}
            spec:
              metrics:
              - overrides:
                - match: {metric: REQUEST_COUNT, mode: CLIENT}
                  tagOverrides:
                    request_host: {value: request.host}
                    response_flags: {operation: REMOVE}
            """);
        await client.GetStringAsync("http://reviews:9080/");
        var changed = Requests(registry).Single(line => line.Contains("request_host=", StringComparison.Ordinal));
        changed.ShouldContain("request_host=\"reviews:9080\"");
        changed.ShouldNotContain("response_flags=\"-\"");
        changed.ShouldEndWith(" 1");

        // 3. The workload counts nothing of its own requests.
        await mesh.ApplyAsync("""
            apiVersion: telemetry.istio.io/v1
            kind: Telemetry
            metadata: {name: web}
            spec:
              selector: {matchLabels: {app: web}}
              metrics: [{overrides: [{match: {mode: CLIENT}, disabled: true}]}]
            """);
        var before = Requests(registry);
        await client.GetStringAsync("http://reviews:9080/");
        Requests(registry).ShouldBe(before, ignoreOrder: true);

        // 4. Without that document the mesh's holds again.
        await mesh.DeleteAsync("Telemetry", "web");
        await client.GetStringAsync("http://reviews:9080/");
        Requests(registry).Single(line => line.Contains("request_host=", StringComparison.Ordinal)).ShouldEndWith(" 2");
    }

    [Fact]
    public async Task One_metric_of_one_namespace_goes_and_the_others_stay()
    {
        await using var mesh = await PodMesh.StartAsync(Reviews + """

            ---
            apiVersion: telemetry.istio.io/v1
            kind: Telemetry
            metadata: {name: sizes, namespace: shop}
            spec:
              metrics: [{overrides: [{match: {metric: REQUEST_SIZE}, disabled: true}]}]
            """);
        await mesh.AddPodAsync("reviews");
        var shop = mesh.Application(new MeshWorkload("web") { Namespace = "shop" });
        var other = mesh.Application(new MeshWorkload("job") { Namespace = "default" });
        foreach (var caller in new[] { shop, other })
        {
            await caller.GetRequiredService<IHttpClientFactory>().CreateClient().GetStringAsync("http://reviews.default:9080/");
        }

        Families(shop.GetRequiredService<MetricRegistry>()).ShouldContain("istio_response_bytes");
        Families(shop.GetRequiredService<MetricRegistry>()).ShouldNotContain("istio_request_bytes");
        Families(other.GetRequiredService<MetricRegistry>()).ShouldContain("istio_request_bytes");
    }

    private static string[] Requests(MetricRegistry registry) => [.. Lines(registry).Where(line => line.StartsWith("istio_requests_total{", StringComparison.Ordinal))];

    /// <summary>The metrics of which anything has been counted.</summary>
    private static string[] Families(MetricRegistry registry)
        => [.. Lines(registry).Where(line => !line.StartsWith('#')).Select(line => line[..line.IndexOfAny(['{', ' '])].Replace("_bucket", "").Replace("_count", "").Replace("_sum", "")).Distinct()];

    private static string[] Lines(MetricRegistry registry)
    {
        var text = new ArrayBufferWriter<byte>();
        PrometheusText.Write(registry, text, family => family.Name.StartsWith("istio_", StringComparison.Ordinal));
        return Encoding.UTF8.GetString(text.WrittenSpan).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
