using System.Diagnostics;
using System.Globalization;
using Mesh.Client.Tests.Telemetry.Tracing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.EndToEnd.Tests.Signals;

/// <summary>
/// Traces as people look at them in Jaeger, from YAML to a collector that takes OTLP: the applications forward no header, and nobody has OpenTelemetry in
/// its process.
/// </summary>
public sealed class TracingLabs
{
    [Fact]
    [Trait("Lab", "P7")]
    public async Task One_trace_leads_from_productpage_over_reviews_v3_to_ratings()
    {
        await using var collector = await TraceCollector.StartAsync();
        await using var mesh = await PodMesh.StartAsync(
            LabYaml.Service("productpage", 9080) + LabYaml.Service("details", 9080) + LabYaml.Service("reviews", 9080) + LabYaml.Service("ratings", 9080)
            + LabYaml.Subsets("reviews", "v3") + LabYaml.Split("reviews", ("v3", 0)) + Traces(collector));
        var ids = new System.Collections.Concurrent.ConcurrentBag<string>();
        await mesh.AddMeshPodAsync("ratings", context => AnswerAsync(context, ids));
        await mesh.AddMeshPodAsync("reviews", context => AnswerAsync(context, ids, "http://ratings:9080/ratings/0"), version: "v3");
        await mesh.AddMeshPodAsync("details", context => AnswerAsync(context, ids));
        await mesh.AddMeshPodAsync("productpage", context => AnswerAsync(context, ids, "http://details:9080/details/0", "http://reviews:9080/reviews/0"));
        var gateway = (await mesh.AddMeshPodAsync("istio-ingressgateway", @namespace: "istio-system")).Client;

        (await gateway.AskAsync("http://productpage.default.svc.cluster.local:9080/productpage")).Status.ShouldBe(200);

        var trace = await CollectAsync(mesh, collector, 8);
        trace.Select(span => span.TraceId).Distinct().ShouldHaveSingleItem();
        Chain(trace, "ratings.default").ShouldBe(
        [
            "istio-ingressgateway.istio-system Client", "productpage.default Server", "productpage.default Client", "reviews.default Server", "reviews.default Client", "ratings.default Server",
        ]);
        Chain(trace, "details.default").ShouldBe(["istio-ingressgateway.istio-system Client", "productpage.default Server", "productpage.default Client", "details.default Server"]);
        var toReviews = trace.Single(span => span["upstream_cluster"] == "outbound|9080|v3|reviews.default.svc.cluster.local");
        (toReviews["mesh.subset"], toReviews["response_flags"], toReviews["component"]).ShouldBe(("v3", "-", "proxy"));

        // One id for all of them, which every application saw.
        var id = trace.Select(span => span["guid:x-request-id"]).Distinct().ShouldHaveSingleItem();
        ids.Count.ShouldBe(4);
        ids.Distinct().ShouldBe([id!]);
    }

    [Fact]
    [Trait("Lab", "P11")]
    public async Task An_abort_is_an_error_in_the_trace_and_says_FI()
    {
        await using var collector = await TraceCollector.StartAsync();
        await using var mesh = await FrontendAsync(collector, "abort: {httpStatus: 500, percentage: {value: 100}}");
        var gateway = (await mesh.AddMeshPodAsync("istio-ingressgateway", @namespace: "istio-system")).Client;

        (await gateway.AskAsync("http://web-frontend.default.svc.cluster.local/")).Status.ShouldBe(500);

        // What was aborted went nowhere.
        var trace = await CollectAsync(mesh, collector, 3);
        trace.ShouldAllBe(span => span.IsError && span["error"] == "true" && span["http.status_code"] == "500");
        var aborted = trace.Single(span => span.Service == "web-frontend.default" && span.Kind == "Client");
        (aborted["response_flags"], aborted["mesh.response_code_details"], aborted["upstream_address"]).ShouldBe(("FI", "fault_filter_abort", null));
    }

    [Fact]
    [Trait("Lab", "P11")]
    public async Task A_delay_is_seen_in_the_trace_of_four_spans_as_DI_at_the_third()
    {
        await using var collector = await TraceCollector.StartAsync();
        await using var mesh = await FrontendAsync(collector, "delay: {percentage: {value: 100}, fixedDelay: 5s}");
        var gateway = (await mesh.AddMeshPodAsync("istio-ingressgateway", @namespace: "istio-system")).Client;

        // The clock moves once, by the delay: whatever was set before is due sooner, and connections are made while it stands.
        mesh.Time.Advance(TimeSpan.FromMilliseconds(1));
        var asking = gateway.AskAsync("http://web-frontend.default.svc.cluster.local/");
        await mesh.Time.WaitForTimerAsync(TimeSpan.FromSeconds(5)).OrHang();
        mesh.Time.Advance(TimeSpan.FromSeconds(5));
        (await asking).Status.ShouldBe(200);

        var trace = (await CollectAsync(mesh, collector, 4)).ToList();
        Chain(trace, "customers.default").ShouldBe(["istio-ingressgateway.istio-system Client", "web-frontend.default Server", "web-frontend.default Client", "customers.default Server"]);
        var delayed = trace.Single(span => span.Service == "web-frontend.default" && span.Kind == "Client");
        delayed["response_flags"].ShouldBe("DI");
        delayed["mesh.response_flags"].ShouldBe("DI");
        delayed.Duration.ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(5));
        trace.Single(span => span.Service == "customers.default").Duration.ShouldBeLessThan(TimeSpan.FromSeconds(5));
        trace.Where(span => span != delayed).ShouldAllBe(span => span["response_flags"] == "-");
    }

    private static async Task<PodMesh> FrontendAsync(TraceCollector collector, string fault)
    {
        var mesh = await PodMesh.StartAsync(
            LabYaml.Service("web-frontend") + LabYaml.Service("customers") + LabYaml.Subsets("customers", "v1")
            + LabYaml.VirtualService("customers", $"- fault: {{{fault}}}\n  route: [{{destination: {{host: customers, subset: v1}}}}]") + Traces(collector));
        await mesh.AddMeshPodAsync("customers");
        await mesh.AddMeshPodAsync("web-frontend", async context =>
        {
            using var customers = await ClientOf(context).GetAsync("http://customers/");
            context.Response.StatusCode = (int)customers.StatusCode;
        });
        return mesh;
    }

    // Asks the others one after the other, and knows of no trace.
    private static async Task AnswerAsync(HttpContext context, System.Collections.Concurrent.ConcurrentBag<string> ids, params string[] others)
    {
        ids.Add(context.Request.Headers["x-request-id"].ToString());
        foreach (var other in others)
        {
            await ClientOf(context).GetStringAsync(other);
        }
    }

    private static HttpClient ClientOf(HttpContext context)
    {
        var client = context.RequestServices.GetRequiredService<IHttpClientFactory>().CreateClient();
        client.Timeout = Guard.Hang;
        return client;
    }

    // Servers tell of a request when it is over, which is after its caller has the answer.
    private static async Task<IReadOnlyList<CollectedSpan>> CollectAsync(PodMesh mesh, TraceCollector collector, int count)
    {
        var since = Stopwatch.StartNew();
        do
        {
            since.Elapsed.ShouldBeLessThan(Guard.Hang, $"{collector.Spans.Count} of {count} spans have come");
            foreach (var engine in mesh.Engines)
            {
                await engine.Filters.Services.Telemetry.Tracing.FlushAsync(default).OrHang();
            }
        }
        while (collector.Spans.Count < count);
        collector.Spans.Count.ShouldBe(count);
        return collector.Spans;
    }

    /// <summary>From the first span to the server's of a service, each below the one before.</summary>
    private static List<string> Chain(IReadOnlyList<CollectedSpan> trace, string service)
    {
        var chain = new List<string>();
        for (var span = trace.Single(s => s.Service == service && s.Kind == "Server"); span is not null; span = trace.SingleOrDefault(s => s.Id == span.ParentId))
        {
            chain.Insert(0, $"{span.Service} {span.Kind}");
        }

        return chain;
    }

    private static string Traces(TraceCollector collector) => $$"""
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: collector, namespace: istio-system}
        spec:
          hosts: [otel-collector.example.com]
          ports: [{number: 4318, name: http, protocol: HTTP}]
          resolution: STATIC
          location: MESH_EXTERNAL
          endpoints:
          - address: 127.0.0.1
            ports: { http: {{collector.Port.ToString(CultureInfo.InvariantCulture)}} }
        ---
        apiVersion: mesh.istio.io/v1alpha1
        kind: MeshConfig
        metadata: {name: mesh}
        spec:
          extensionProviders:
          - name: otel
            opentelemetry: {service: otel-collector.example.com, port: 4318, http: {path: /v1/traces} }
        ---
        apiVersion: telemetry.istio.io/v1
        kind: Telemetry
        metadata: {name: traces, namespace: istio-system}
        spec:
          tracing:
          - providers: [{name: otel}]
            randomSamplingPercentage: 100
        ---

        """;
}
