using System.Net;
using Mesh.Client.Tests.Telemetry.Tracing;
using Mesh.Testing;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Mesh.OpenTelemetry.Tests;

/// <summary>The mesh in an application's own OpenTelemetry, whose exporter sends to a collector by OTLP.</summary>
public sealed class MeshInstrumentationTests
{
    private const string Reviews = """
        apiVersion: v1
        kind: Service
        metadata: {name: reviews}
        spec: {ports: [{name: http, port: 9080}], selector: {app: reviews}}
        """;

    [Fact]
    public async Task A_request_is_one_span_among_the_applications_own()
    {
        await using var collector = await TraceCollector.StartAsync();
        await using var mesh = await MeshTestHost.StartAsync(Reviews);
        mesh.AddEndpoint("reviews", "v3", _ => new HttpResponseMessage(HttpStatusCode.OK));
        using var source = new System.Diagnostics.ActivitySource("application");
        using var traces = Provider(collector, new AlwaysOnSampler());
        string trace;
        using (var page = source.StartActivity("page"))
        {
            trace = page!.TraceId.ToHexString();
            using var client = mesh.CreateClient("http://reviews:9080", new MeshWorkload("productpage"));
            using var response = await client.GetAsync("http://reviews:9080/reviews/0");
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        traces.ForceFlush();

        var spans = collector.Trace(trace);
        spans.Select(span => (span.Scope, span.Name)).ShouldBe([("application", "page"), ("Mesh", "GET")], ignoreOrder: true);
        var request = spans.Single(span => span.Scope == "Mesh");
        (request.Kind, request.Service, request.ParentId).ShouldBe(("Client", "productpage.default", spans.Single(span => span.Scope == "application").Id));
        request["upstream_cluster"].ShouldBe("outbound|9080||reviews.default.svc.cluster.local");
    }

    [Fact]
    public async Task The_applications_sampler_decides_also_of_what_the_mesh_would_trace()
    {
        await using var collector = await TraceCollector.StartAsync();
        await using var mesh = await MeshTestHost.StartAsync(Reviews);
        mesh.AddEndpoint("reviews", "v3", _ => new HttpResponseMessage(HttpStatusCode.OK));
        using var traces = Provider(collector, new AlwaysOffSampler());
        using var client = mesh.CreateClient("http://reviews:9080", new MeshWorkload("productpage"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        request.Headers.Add("x-envoy-force-trace", "true");

        using var response = await client.SendAsync(request);
        traces.ForceFlush();

        collector.Spans.ShouldBeEmpty();
    }

    private static TracerProvider Provider(TraceCollector collector, Sampler sampler)
        => Sdk.CreateTracerProviderBuilder()
            .SetSampler(sampler)
            .ConfigureResource(resource => resource.AddMeshWorkload(new MeshWorkload("productpage")))
            .AddSource("application")
            .AddSource("System.Net.Http")
            .AddMeshInstrumentation()
            .AddOtlpExporter(exporter =>
            {
                exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
                exporter.Endpoint = new Uri(collector.Address, "/v1/traces");

                // In real time, and what is not sent within it is lost.
                exporter.TimeoutMilliseconds = 60_000;
            })
            .Build();
}
