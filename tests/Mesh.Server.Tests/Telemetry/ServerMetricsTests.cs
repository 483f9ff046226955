using System.Buffers;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.Server.Tests.Inbound;
using Mesh.Xds.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Server.Tests.Telemetry;

/// <summary>What a server's metrics say of its callers.</summary>
public sealed class ServerMetricsTests
{
    private static readonly string Sleep = Convert.ToBase64String(Struct.Parser.ParseJson("""
        {"WORKLOAD_NAME":"sleep","NAMESPACE":"elsewhere","CLUSTER_ID":"Kubernetes","LABELS":{"app":"sleep","version":"v2"} }
        """).ToByteArray());

    [Fact]
    public async Task A_peer_of_the_mesh_is_who_it_tells_in_the_namespace_that_its_certificate_tells()
    {
        await using var app = await InboundApp.StartAsync(pipeline: Headers);
        app.SetStrict();
        using var client = MeshCaller.Secure(app.Port, app.Workload(), "istio-http/1.1");

        (await (await client.SendAsync(Request("/headers"))).Content.ReadAsStringAsync()).ShouldBe("0");

        var line = await LineAsync(app);
        line.ShouldContain("reporter=\"destination\",source_workload=\"sleep\",");
        line.ShouldContain("source_workload_namespace=\"default\",source_principal=\"spiffe://cluster.local/ns/default/sa/client\",source_app=\"sleep\",source_version=\"v2\"");
        line.ShouldContain("connection_security_policy=\"mutual_tls\"");
    }

    [Fact]
    public async Task Somebody_outside_is_unknown_whatever_he_tells_and_the_application_does_not_see_it()
    {
        await using var app = await InboundApp.StartAsync(pipeline: Headers);
        app.SetPermissive();
        using var client = MeshCaller.Plain(app.Port);

        (await (await client.SendAsync(Request("/headers"))).Content.ReadAsStringAsync()).ShouldBe("0");

        var line = await LineAsync(app);
        line.ShouldContain("source_workload=\"unknown\"");
        line.ShouldContain("source_app=\"unknown\"");
        line.ShouldContain("connection_security_policy=\"none\"");
    }

    [Fact]
    public async Task Requests_are_counted_for_the_manager_that_took_them()
    {
        await using var app = await InboundApp.StartAsync(pipeline: Headers);
        app.SetPermissive();
        using var client = MeshCaller.Plain(app.Port);
        foreach (var path in (string[])["/headers", "/nowhere"])
        {
            (await client.SendAsync(Request(path))).Dispose();
        }

        const string manager = "envoy_http_conn_manager_prefix=\"inbound\"";
        await app.UntilAsync(() => Lines(app, $"envoy_http_downstream_rq_completed{{{manager}}} 2").Length > 0);
        Lines(app, "envoy_http_downstream_rq_total").ShouldBe([$"envoy_http_downstream_rq_total{{{manager}}} 2"]);
        Lines(app, "envoy_http_downstream_rq_active").ShouldBe([$"envoy_http_downstream_rq_active{{{manager}}} 0"]);
        Lines(app, "envoy_http_downstream_rq_xx").ShouldBe([.. new[] { 0, 1, 0, 1, 0 }.Select((count, i) => $"envoy_http_downstream_rq_xx{{envoy_response_code_class=\"{i + 1}\",{manager}}} {count}")]);
    }

    private static HttpRequestMessage Request(string path)
        => new(HttpMethod.Get, path) { Headers = { { "x-envoy-peer-metadata", Sleep }, { "x-envoy-peer-metadata-id", "sidecar~10.0.0.1~sleep.default~default.svc.cluster.local" } } };

    private static void Headers(WebApplication app)
        => app.MapGet("/headers", (HttpContext context) => context.Request.Headers.Count(h => h.Key.StartsWith("x-envoy-peer", StringComparison.OrdinalIgnoreCase)));

    private static string[] Lines(InboundApp app, string name)
    {
        var output = new ArrayBufferWriter<byte>();
        PrometheusText.Write(app.App.Services.GetRequiredService<MetricRegistry>(), output);
        return [.. Encoding.UTF8.GetString(output.WrittenSpan).Split('\n').Where(l => l.StartsWith(name, StringComparison.Ordinal))];
    }

    // A response is there before its server has told of it.
    private static async Task<string> LineAsync(InboundApp app)
    {
        await app.UntilAsync(() => Lines(app, "istio_requests_total{").Length > 0);
        return Lines(app, "istio_requests_total{").ShouldHaveSingleItem();
    }
}
