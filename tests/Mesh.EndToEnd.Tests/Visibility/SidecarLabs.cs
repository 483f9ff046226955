using Mesh.DataPlane.Clusters;
using Mesh.Testing;
using Mesh.Xds.Ads;

namespace Mesh.EndToEnd.Tests.Visibility;

/// <summary>The Sidecar resource: who has to know of whom.</summary>
public sealed class SidecarLabs
{
    private static readonly (string App, string Version)[] Workloads =
        [("productpage", "v1"), ("details", "v1"), ("ratings", "v1"), ("reviews", "v1"), ("reviews", "v2"), ("reviews", "v3")];

    /// <summary>Sidecars by the need to know of each workload.</summary>
    private static readonly string Sidecars = string.Concat(
        Sidecar("productpage", "app: productpage", "./reviews.default.svc.cluster.local", "./details.default.svc.cluster.local"),
        Sidecar("reviews-v1", "app: reviews, version: v1"),
        Sidecar("reviews-v2", "app: reviews, version: v2", "./ratings.default.svc.cluster.local"),
        Sidecar("reviews-v3", "app: reviews, version: v3", "./ratings.default.svc.cluster.local"),
        Sidecar("details", "app: details"),
        Sidecar("ratings", "app: ratings"));

    [Fact]
    [Trait("Lab", "P18")]
    public async Task By_need_to_know_thirty_connections_become_six()
    {
        await using var mesh = await PodMesh.StartAsync(string.Concat(new[] { "productpage", "details", "reviews", "ratings" }.Select(name => LabYaml.Service(name, 9080))));
        var pods = new Dictionary<(string App, string Version), Pod>();
        var nodes = new Dictionary<(string App, string Version), SidecarNode>();
        foreach (var (app, version) in Workloads)
        {
            pods[(app, version)] = await mesh.AddPodAsync(app, version);
            nodes[(app, version)] = await SidecarNode.ConnectAsync(mesh.Server, app, version);
        }

        try
        {
            await mesh.SettleAsync();
            nodes.ShouldAllBe(node => node.Value.Endpoints().Count == 6);
            Connections().ShouldBe(30);

            await mesh.ApplyAsync(Sidecars);

            Connections().ShouldBe(6);
            KnownTo("productpage", "v1").ShouldBe(["details-v1", "reviews-v1", "reviews-v2", "reviews-v3"]);
            KnownTo("reviews", "v1").ShouldBeEmpty();
            KnownTo("reviews", "v2").ShouldBe(["ratings-v1"]);
            KnownTo("reviews", "v3").ShouldBe(["ratings-v1"]);
            KnownTo("details", "v1").ShouldBeEmpty();
            KnownTo("ratings", "v1").ShouldBeEmpty();
            nodes[("productpage", "v1")].Names(TypeUrls.Listener).ShouldBe(["details.default.svc.cluster.local:9080", "reviews.default.svc.cluster.local:9080"]);
            nodes[("ratings", "v1")].Names(TypeUrls.Listener).ShouldBeEmpty();

            // A pod that comes is told to those who need to know.
            var before = nodes.ToDictionary(node => node.Key, node => node.Value.Responses);
            await mesh.AddPodAsync("ratings", "v2");
            nodes.Where(node => node.Value.Responses > before[node.Key]).Select(node => string.Join('-', node.Key.App, node.Key.Version)).Order(StringComparer.Ordinal).ShouldBe(["reviews-v2", "reviews-v3"]);

            // So is a Sidecar that goes.
            before = nodes.ToDictionary(node => node.Key, node => node.Value.Responses);
            await mesh.DeleteAsync("Sidecar", "details");
            nodes.Where(node => node.Value.Responses > before[node.Key]).ShouldHaveSingleItem().Key.ShouldBe(("details", "v1"));
            KnownTo("details", "v1").Count.ShouldBe(7);

            foreach (var name in new[] { "productpage", "ratings", "reviews-v1", "reviews-v2", "reviews-v3" })
            {
                await mesh.DeleteAsync("Sidecar", name);
            }

            nodes.ShouldAllBe(node => node.Value.Endpoints().Count == 7);
        }
        finally
        {
            foreach (var node in nodes.Values)
            {
                await node.DisposeAsync();
            }
        }

        // Whom each workload may connect to, besides itself.
        int Connections() => nodes.Sum(node => node.Value.Endpoints().Count(endpoint => endpoint.Port != pods[node.Key].Port));

        IReadOnlyList<string> KnownTo(string app, string version)
            => [.. nodes[(app, version)].Endpoints().Select(endpoint => pods.Where(pod => pod.Value.Port == endpoint.Port).Select(pod => $"{pod.Key.App}-{pod.Key.Version}").FirstOrDefault("another")).Order(StringComparer.Ordinal)];
    }

    [Fact]
    [Trait("Lab", "P18")]
    public async Task A_process_holds_what_it_calls_and_calls_what_its_Sidecar_names()
    {
        await using var mesh = await PodMesh.StartAsync(string.Concat(new[] { "details", "reviews", "ratings" }.Select(name => LabYaml.Service(name, 9080))));
        foreach (var (app, version) in Workloads.Skip(1))
        {
            await mesh.AddPodAsync(app, version);
        }

        var productpage = mesh.Caller(new MeshWorkload("productpage") { Version = "v1" });
        var reviews = mesh.Caller(new MeshWorkload("reviews") { Version = "v2" });
        (await productpage.AskAsync("http://ratings:9080/")).Status.ShouldBe(200);
        (await productpage.AskAsync("http://reviews:9080/")).Status.ShouldBe(200);
        (await reviews.AskAsync("http://ratings:9080/")).Status.ShouldBe(200);
        Held(0).ShouldBe(["ratings", "reviews"]);

        await mesh.ApplyAsync(Sidecars);

        Held(0).ShouldBe(["reviews"]);
        Held(1).ShouldBe(["ratings"]);
        (await productpage.AskAsync("http://reviews:9080/")).Status.ShouldBe(200);
        (await productpage.AskAsync("http://details:9080/")).Status.ShouldBe(200);
        var unknown = await productpage.AskAsync("http://ratings:9080/");
        (unknown.Status, unknown.Flags).ShouldBe((503, "NR"), "a name of the mesh goes to no DNS, however open the policy");
        (await reviews.AskAsync("http://ratings:9080/")).Status.ShouldBe(200);

        await mesh.DeleteAsync("Sidecar", "productpage");
        (await productpage.AskAsync("http://ratings:9080/")).Status.ShouldBe(200);

        // The services whose endpoints a caller holds.
        string[] Held(int caller)
            => [.. mesh.Engines[caller].Clusters.All.Where(held => held.Cluster.Current.Endpoints.Endpoints.Count > 0)
                .Select(held => held.Cluster.Name.Split('|')[3].Split('.')[0]).Order(StringComparer.Ordinal)];
    }

    [Fact]
    [Trait("Lab", "C6")]
    public async Task A_namespace_reaches_its_own_services_and_those_of_istio_system_and_no_others()
    {
        const string service = """
            apiVersion: v1
            kind: Service
            metadata: {name: NAME, namespace: NAMESPACE}
            spec:
              selector: {app: NAME}
              ports: [{name: http, port: 80}]
            ---

            """;
        (string Name, string Namespace)[] services = [("reviews", "bookinfo"), ("prometheus", "istio-system"), ("cart", "shop")];
        await using var mesh = await MeshTestHost.StartAsync(string.Concat(services.Select(one =>
            service.Replace("NAMESPACE", one.Namespace, StringComparison.Ordinal).Replace("NAME", one.Name, StringComparison.Ordinal))));
        foreach (var (name, @namespace) in services)
        {
            mesh.AddEndpoint(new MeshWorkload(name) { Namespace = @namespace }, new Answering(name));
        }

        using var client = mesh.CreateClient("http://reviews", new MeshWorkload("productpage") { Namespace = "bookinfo" });
        using var stranger = mesh.CreateClient("http://cart", new MeshWorkload("web") { Namespace = "shop" });
        string[] uris = ["http://reviews/", "http://reviews.bookinfo/", "http://prometheus.istio-system/", "http://cart.shop/", "http://cart.shop.svc.cluster.local/"];
        (await StatusesAsync(client)).ShouldBe([200, 200, 200, 200, 200]);

        mesh.Apply("""
            apiVersion: networking.istio.io/v1alpha3
            kind: Sidecar
            metadata:
              name: default
              namespace: bookinfo
            spec:
              egress:
              - hosts:
                - "./*"
                - "istio-system/*"
            """);
        await mesh.SettledAsync();

        // A name of two labels may be a host outside as well, and is refused like one; that of a service in full can be nothing else.
        (await StatusesAsync(client)).ShouldBe([200, 200, 200, 502, 503]);
        (await stranger.GetAsync("http://reviews.bookinfo/").OrHang()).StatusCode.ShouldBe(System.Net.HttpStatusCode.OK, "another namespace is not concerned");

        mesh.Delete("Sidecar", "default", "bookinfo");
        await mesh.SettledAsync();
        (await StatusesAsync(client)).ShouldBe([200, 200, 200, 200, 200]);

        async Task<int[]> StatusesAsync(HttpClient asking)
        {
            var statuses = new List<int>();
            foreach (var uri in uris)
            {
                using var response = await asking.GetAsync(uri).OrHang();
                statuses.Add((int)response.StatusCode);
            }

            return [.. statuses];
        }
    }

    private static string Sidecar(string name, string labels, params string[] hosts) => $$"""
        apiVersion: networking.istio.io/v1beta1
        kind: Sidecar
        metadata:
          name: {{name}}
        spec:
          workloadSelector:
            labels: { {{labels}} }
          egress:
          - hosts: [{{string.Join(", ", hosts.Append("istio-system/*").Select(host => $"\"{host}\""))}}]
        ---

        """;

    private sealed class Answering(string text) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            => Task.FromResult(new HttpResponseMessage { Content = new StringContent(text) });
    }
}
