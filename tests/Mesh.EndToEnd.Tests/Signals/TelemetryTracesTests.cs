using System.Text.Json;
using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.EndToEnd.Tests.Lab;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.EndToEnd.Tests.Signals;

/// <summary>From a Telemetry document to the spans that a collector is sent, and to others when the document changes.</summary>
public class TelemetryTracesTests
{
    private const string Mesh = """
        apiVersion: v1
        kind: Service
        metadata: {name: reviews}
        spec:
          selector: {app: reviews}
          ports: [{name: http, port: 9080}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: zipkin}
        spec:
          selector: {app: zipkin}
          ports: [{name: http, port: 9411}]
        ---
        apiVersion: mesh.istio.io/v1alpha1
        kind: MeshConfig
        spec:
          extensionProviders:
          - {name: zipkin, zipkin: {service: zipkin.default.svc.cluster.local, port: 9411}}
        ---
        apiVersion: telemetry.istio.io/v1
        kind: Telemetry
        metadata: {name: mesh, namespace: istio-system}
        spec:
          tracing:
          - providers: [{name: zipkin}]
            randomSamplingPercentage: 100
            customTags: {stage: {literal: {value: test}}}
        ---
        apiVersion: telemetry.istio.io/v1
        kind: Telemetry
        metadata: {name: quiet, namespace: shop}
        spec: {tracing: [{randomSamplingPercentage: 0}]}
        """;

    [Fact]
    public async Task The_mesh_is_sampled_whole_a_namespace_not_at_all_and_spans_are_switched_off_while_it_runs()
    {
        var spans = new List<JsonElement>();
        await using var mesh = await PodMesh.StartAsync(Mesh);
        await mesh.AddPodAsync("reviews");
        await mesh.AddPodAsync("zipkin", answer: async context =>
        {
            using var document = await JsonDocument.ParseAsync(context.Request.Body);
            lock (spans)
            {
                spans.AddRange(document.RootElement.EnumerateArray().Select(span => span.Clone()));
            }

            context.Response.StatusCode = StatusCodes.Status202Accepted;
        });
        var web = mesh.Application(new MeshWorkload("web") { Namespace = "default" });
        var shop = mesh.Application(new MeshWorkload("basket") { Namespace = "shop" });

        // 1. One of the mesh, one of the namespace that has a rate of its own.
        await CallAsync(web);
        await CallAsync(shop);
        var span = Spans().ShouldHaveSingleItem();
        span.GetProperty("localEndpoint").GetProperty("serviceName").GetString().ShouldBe("web.default");
        var tags = span.GetProperty("tags");
        tags.GetProperty("stage").GetString().ShouldBe("test");
        tags.GetProperty("istio.canonical_service").GetString().ShouldBe("web");
        tags.GetProperty("upstream_cluster").GetString().ShouldStartWith("outbound|9080||reviews.default.svc.cluster.local");

        // 2. The workload tells of none, and of its requests again.
        await mesh.ApplyAsync("""
            apiVersion: telemetry.istio.io/v1
            kind: Telemetry
            metadata: {name: web}
            spec:
              selector: {matchLabels: {app: web}}
              tracing: [{disableSpanReporting: true}]
            """);
        await CallAsync(web);
        Spans().Length.ShouldBe(1);
        await mesh.DeleteAsync("Telemetry", "web");
        await CallAsync(web);
        Spans().Length.ShouldBe(2);

        JsonElement[] Spans()
        {
            lock (spans)
            {
                return [.. spans];
            }
        }
    }

    private static async Task CallAsync(IServiceProvider caller)
    {
        await caller.GetRequiredService<IHttpClientFactory>().CreateClient().GetStringAsync("http://reviews.default:9080/");
        await caller.GetRequiredService<MeshTracing>().FlushAsync(CancellationToken.None).OrHang();
    }
}
