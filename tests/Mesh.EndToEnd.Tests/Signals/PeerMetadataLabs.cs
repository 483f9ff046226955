using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Mesh.DataPlane.Inbound.Http;
using Mesh.Xds.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.EndToEnd.Tests.Signals;

/// <summary>Servers know who calls them, in the labels by which graphs are drawn.</summary>
public sealed class PeerMetadataLabs
{
    private const string Reviews = "http://reviews:9080/";

    [Fact]
    [Trait("Lab", "P7")]
    public async Task The_servers_rows_name_the_caller_as_the_callers_own_rows_do()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("reviews", 9080));
        var seen = 0;
        var introduced = 0;
        var reviews = await mesh.AddMeshPodAsync(
            "reviews",
            context =>
            {
                introduced += context.Features.Get<IInboundConnection>()?.Facts.Introduced is null ? 0 : 1;
                seen += context.Request.Headers.Count(header => header.Key.StartsWith("x-envoy-peer-metadata", StringComparison.OrdinalIgnoreCase));
                return context.Response.WriteAsync("reviews");
            },
            version: "v2",
            account: "bookinfo-reviews");
        var web = await mesh.AddMeshPodAsync("web", version: "v3", account: "bookinfo-web", labels: ("service.istio.io/canonical-name", "shop-front"));
        var job = await mesh.AddMeshPodAsync("job", @namespace: "batch");
        for (var i = 0; i < 3; i++)
        {
            (await web.Client.AskAsync(Reviews)).Status.ShouldBe(200);
        }

        (await job.Client.AskAsync("http://reviews.default:9080/")).Status.ShouldBe(200);

        // A response is there before its server has told of it.
        var rows = await RowsAsync(reviews, "destination", 4);
        var own = (await RowsAsync(web, "source", 3)).ShouldHaveSingleItem();
        var row = rows.Single(r => r["source_workload"] == "web");
        row["value"].ShouldBe("3");
        foreach (var (label, value) in new[]
        {
            ("source_workload_namespace", "default"), ("source_app", "web"), ("source_version", "v3"), ("source_canonical_service", "shop-front"),
            ("source_canonical_revision", "v3"), ("source_cluster", "Kubernetes"), ("source_principal", "spiffe://cluster.local/ns/default/sa/bookinfo-web"),
            ("destination_workload", "reviews"), ("destination_app", "reviews"), ("destination_version", "v2"), ("destination_canonical_service", "reviews"),
            ("destination_canonical_revision", "v2"), ("connection_security_policy", "mutual_tls"),
        })
        {
            row[label].ShouldBe(value, label);
        }

        // Both ends say the same of each other, but for what only a server knows.
        row.Keys.Where(label => row[label] != own[label]).ShouldBe(["reporter", "connection_security_policy"], ignoreOrder: true);
        rows.Single(r => r["source_workload"] == "job")["source_workload_namespace"].ShouldBe("batch");
        rows.Count.ShouldBe(2);
        seen.ShouldBe(0);
        introduced.ShouldBe(4, "each caller has said it at the beginning of its connection");
    }

    [Fact]
    public async Task A_replica_that_was_not_there_before_knows_its_callers_from_the_first_request_on()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("reviews", 9080));
        var web = await mesh.AddMeshPodAsync("web");
        foreach (var version in (string[])["v1", "v2"])
        {
            var replica = await mesh.AddMeshPodAsync("reviews", version: version);
            // So many that chance leaves none out.
            for (var i = 0; i < 40; i++)
            {
                (await web.Client.AskAsync(Reviews)).Status.ShouldBe(200);
            }

            (await RowsAsync(replica, "destination", 1)).ShouldAllBe(row => row["source_workload"] == "web" && row["source_app"] == "web");
        }
    }

    [Fact]
    public async Task Labels_of_an_operators_own_may_name_the_peer()
    {
        await using var mesh = await PodMesh.StartAsync(LabYaml.Service("reviews", 9080) + """
            apiVersion: telemetry.istio.io/v1
            kind: Telemetry
            metadata: {name: custom-tags, namespace: istio-system}
            spec:
              metrics:
              - overrides:
                - match: {metric: REQUEST_COUNT, mode: CLIENT}
                  tagOverrides:
                    destination_x: {value: filter_state.upstream_peer.app}
                    destination_y: {value: upstream_peer.version + '.' + upstream_peer.namespace}
                    destination_z: {value: downstream_peer.app}
                - match: {metric: REQUEST_COUNT, mode: SERVER}
                  tagOverrides:
                    source_x: {value: filter_state.downstream_peer.workload}
                    source_y: {value: downstream_peer.service + '@' + downstream_peer.cluster}
            """);
        var reviews = await mesh.AddMeshPodAsync("reviews", version: "v2");
        var web = await mesh.AddMeshPodAsync("web");

        (await web.Client.AskAsync(Reviews)).Status.ShouldBe(200);

        var asked = (await RowsAsync(web, "source", 1)).ShouldHaveSingleItem();
        (asked["destination_x"], asked["destination_y"], asked["destination_z"]).ShouldBe(("reviews", "v2.default", "unknown"));
        var served = (await RowsAsync(reviews, "destination", 1)).ShouldHaveSingleItem();
        (served["source_x"], served["source_y"]).ShouldBe(("web", "web@Kubernetes"));
    }

    private static async Task<List<Dictionary<string, string>>> RowsAsync(MeshPod pod, string reporter, int requests)
    {
        var since = System.Diagnostics.Stopwatch.StartNew();
        while (true)
        {
            var rows = Rows(pod.Services.GetRequiredService<MetricRegistry>()).Where(row => row["reporter"] == reporter).ToList();
            if (rows.Sum(row => int.Parse(row["value"], CultureInfo.InvariantCulture)) >= requests)
            {
                return rows;
            }

            since.Elapsed.ShouldBeLessThan(Guard.Hang, $"{requests} requests that {pod.Name} has counted");
            await Task.Delay(5);
        }
    }

    private static IEnumerable<Dictionary<string, string>> Rows(MetricRegistry registry)
    {
        var text = new ArrayBufferWriter<byte>();
        PrometheusText.Write(registry, text, family => family.Name == "istio_requests_total");
        foreach (var line in Encoding.UTF8.GetString(text.WrittenSpan).Split('\n').Where(line => line.StartsWith("istio_requests_total{", StringComparison.Ordinal)))
        {
            var end = line.LastIndexOf('}');
            var row = Regex.Matches(line[..end], "(\\w+)=\"([^\"]*)\"").ToDictionary(label => label.Groups[1].Value, label => label.Groups[2].Value);
            row["value"] = line[(end + 2)..];
            yield return row;
        }
    }
}
