using System.Net;
using System.Text.Json.Nodes;
using Mesh.ControlPlane.Tests.Hosting;
using Mesh.Xds.Ads;
using Mesh.Xds.Certificates;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Tests.Debug;

/// <summary>What a control plane shows of itself: true, without secrets, and to nobody but those who may see it.</summary>
public sealed class DebugPagesTests
{
    private const string Cluster = "outbound|9080||reviews.default.svc.cluster.local";
    private const string ProductPage = "sidecar~10.0.0.9~productpage-7d.default~default.svc.cluster.local";
    private const string ProductPageMetadata = """{"NAMESPACE":"default","WORKLOAD_NAME":"productpage","CLUSTER_ID":"Kubernetes","LABELS":{"app":"productpage","version":"v1"}}""";
    private const string Reviews = """
        apiVersion: v1
        kind: Service
        metadata: {name: reviews}
        spec:
          selector: {app: reviews}
          ports: [{name: http, port: 9080}]
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: reviews}
        spec:
          host: reviews
          subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews}
        spec:
          hosts: [reviews]
          http:
          - match: [{headers: {end-user: {exact: jason}}}]
            route: [{destination: {host: reviews, subset: v2}}]
            timeout: 3s
          - route: [{destination: {host: reviews, subset: v1}, weight: 90}, {destination: {host: reviews, subset: v2}, weight: 10}]
        ---
        apiVersion: networking.istio.io/v1
        kind: WorkloadEntry
        metadata: {name: reviews-v2}
        spec: {address: 10.0.0.2, labels: {app: reviews, version: v2}, serviceAccount: bookinfo-reviews}
        ---
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: reviews-viewer}
        spec:
          selector: {matchLabels: {app: reviews}}
          action: ALLOW
          rules: [{from: [{source: {principals: ["cluster.local/ns/default/sa/bookinfo-productpage"]}}]}]
        """;

    private static async Task<AdsPeer> ConnectAsync(DebugMesh mesh, Func<Envoy.Service.Discovery.V3.DeltaDiscoveryResponse, string?>? refuse = null)
    {
        var peer = await mesh.ConnectAsync(ProductPage, ProductPageMetadata, refuse);
        await peer.SubscribeAsync(TypeUrls.Cluster, Cluster);
        await peer.WaitForAsync<Envoy.Config.Cluster.V3.Cluster>(TypeUrls.Cluster, Cluster);
        await peer.SubscribeAsync(TypeUrls.Listener, "reviews:9080");
        await peer.WaitForAsync<Envoy.Config.Listener.V3.Listener>(TypeUrls.Listener, "reviews:9080");

        // What is pushed from here on is waited for until it is answered, and what went before with it.
        mesh.Apply("""
            apiVersion: v1
            kind: Service
            metadata: {name: unrelated}
            spec: {ports: [{name: http, port: 80}]}
            """);
        await mesh.SettleAsync();
        return peer;
    }

    private static JsonNode TypeOf(JsonNode proxy, string name) => proxy["types"]!.AsArray().Single(type => type!["name"]!.GetValue<string>() == name)!;

    [Fact]
    public async Task Push_status_tells_who_is_connected_and_how_far_each_kind_is()
    {
        await using var mesh = new DebugMesh(Reviews);
        await ConnectAsync(mesh);

        var proxy = mesh.Read("syncz").AsArray().ShouldHaveSingleItem()!;
        proxy["proxy"]!.GetValue<string>().ShouldBe("productpage-7d.default");
        proxy["workload"]!.GetValue<string>().ShouldBe("productpage.default");
        proxy["cluster_id"]!.GetValue<string>().ShouldBe("Kubernetes");
        var clusters = TypeOf(proxy, "CDS");
        clusters["status"]!.GetValue<string>().ShouldBe("SYNCED");
        clusters["sent"]!.GetValue<string>().ShouldNotBeEmpty();
        clusters["acked"]!.GetValue<string>().ShouldBe(clusters["sent"]!.GetValue<string>());
        clusters["error"].ShouldBeNull();
        clusters["subscribed"]!.GetValue<int>().ShouldBe(1);
        clusters["last_acked"]!.GetValue<DateTimeOffset>().ShouldBe(mesh.Time.GetUtcNow());
        proxy["types"]!.AsArray().ShouldNotContain(type => type!["name"]!.GetValue<string>() == "RDS");
    }

    [Fact]
    public async Task A_refusal_is_told_with_its_text_and_version()
    {
        await using var mesh = new DebugMesh(Reviews);
        await ConnectAsync(mesh, response => response.TypeUrl == TypeUrls.Cluster ? "cluster.connect_timeout: must be positive" : null);

        var proxy = mesh.Read("syncz", "proxyID=productpage-7d.default").AsArray().ShouldHaveSingleItem()!;
        var clusters = TypeOf(proxy, "CDS");
        clusters["status"]!.GetValue<string>().ShouldBe("NACK");
        clusters["error"]!.GetValue<string>().ShouldBe("cluster.connect_timeout: must be positive");
        clusters["nacked"]!.GetValue<string>().ShouldBe(clusters["sent"]!.GetValue<string>());
        TypeOf(proxy, "LDS")["status"]!.GetValue<string>().ShouldBe("SYNCED");

        var dump = mesh.Read("config_dump", "proxyID=productpage.default")["configs"]!.AsArray()
            .Single(config => config!["@type"]!.GetValue<string>().EndsWith("ClustersConfigDump", StringComparison.Ordinal))!;
        dump["dynamic_active_clusters"]![0]!["client_status"]!.GetValue<string>().ShouldBe("NACKED");
        dump["dynamic_active_clusters"]![0]!["error_state"]!["details"]!.GetValue<string>().ShouldBe("cluster.connect_timeout: must be positive");
    }

    [Theory]
    [InlineData("productpage-7d.default")]
    [InlineData("productpage.default")]
    [InlineData("productpage")]
    [InlineData("productpage-v1.default")]
    [InlineData("productpage-v1")]
    [InlineData(ProductPage)]
    public async Task A_proxy_is_found_by_the_names_that_people_have_for_it(string name)
    {
        await using var mesh = new DebugMesh(Reviews);
        await ConnectAsync(mesh);

        var configs = mesh.Read("config_dump", $"proxyID={name}")["configs"]!.AsArray();
        var clusters = configs.Single(config => config!["@type"]!.GetValue<string>().EndsWith("ClustersConfigDump", StringComparison.Ordinal))!;
        var cluster = clusters["dynamic_active_clusters"]!.AsArray().ShouldHaveSingleItem()!;
        cluster["cluster"]!["name"]!.GetValue<string>().ShouldBe(Cluster);
        cluster["client_status"]!.GetValue<string>().ShouldBe("ACKED");
        configs[0]!["bootstrap"]!["node"]!["id"]!.GetValue<string>().ShouldBe(ProductPage);
    }

    [Fact]
    public async Task A_name_that_nobody_or_that_several_have_is_told_with_those_there_are()
    {
        await using var mesh = new DebugMesh(Reviews);
        await ConnectAsync(mesh);
        var other = await mesh.ConnectAsync("sidecar~10.0.0.8~productpage-8e.default~default.svc.cluster.local", ProductPageMetadata);
        await other.SubscribeAsync(TypeUrls.Cluster, Cluster);
        await other.WaitForAsync<Envoy.Config.Cluster.V3.Cluster>(TypeUrls.Cluster, Cluster);

        var none = mesh.Ask("config_dump", "proxyID=ratings");
        none.StatusCode.ShouldBe(404);
        none.Json!.ShouldContain("productpage-7d.default, productpage-8e.default");
        var several = mesh.Ask("config_dump", "proxyID=productpage");
        several.StatusCode.ShouldBe(409);
        several.Json!.ShouldContain("productpage-8e.default");
        mesh.Ask("config_dump").StatusCode.ShouldBe(400);
    }

    [Fact]
    [Trait("Lab", "L004-2")]
    public async Task Services_and_who_serves_them_are_listed_and_one_can_be_asked_for()
    {
        await using var mesh = new DebugMesh(Reviews);

        var service = mesh.Read("registryz", "service=reviews").AsArray().ShouldHaveSingleItem()!;
        service["hostname"]!.GetValue<string>().ShouldBe("reviews.default.svc.cluster.local");
        service["ports"]![0]!["protocol"]!.GetValue<string>().ShouldBe("HTTP");
        service["endpoints"]!.GetValue<int>().ShouldBe(1);

        string[] Addresses(params string[] query)
            => [.. mesh.Read("endpointz", query).AsArray().SelectMany(port => port!["endpoints"]!.AsArray()).Select(endpoint => endpoint!["address"]!.GetValue<string>())];

        Addresses().ShouldBe(["10.0.0.2:9080"]);
        Addresses("service=reviews.default.svc.cluster.local", "port=http", "subset=v2").ShouldBe(["10.0.0.2:9080"]);
        Addresses("service=reviews.default.svc.cluster.local", "subset=v1").ShouldBeEmpty();
        mesh.Read("instancesz").AsArray().ShouldHaveSingleItem()!["services"]![0]!.GetValue<string>().ShouldBe("reviews.default.svc.cluster.local");
    }

    [Fact]
    public async Task Documents_are_shown_with_where_they_stand_and_nothing_that_is_secret()
    {
        var pems = new TestPems("api");
        string Indented(string pem) => pem.ReplaceLineEndings("\n    ");
        await using var mesh = new DebugMesh(Reviews);
        mesh.Apply($$$$"""
            apiVersion: v1
            kind: Secret
            metadata:
              name: api
              annotations: {kubectl.kubernetes.io/last-applied-configuration: 'tls.key: sesame'}
            type: kubernetes.io/tls
            stringData:
              tls.crt: |
                {{{{Indented(pems.Certificate)}}}}
              tls.key: |
                {{{{Indented(pems.Key)}}}}
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: secretive}
            spec:
              hosts: [secretive.example]
              http:
              - match: [{headers: {authorization: {exact: Bearer sesame}}}]
                headers: {request: {set: {x-api-key: sesame, x-tame: shown}}}
                redirect: {authority: elsewhere.example}
            """);

        var secret = mesh.Read("configz", "kind=Secret").AsArray().ShouldHaveSingleItem()!;
        secret["spec"]!["entries"]!.AsArray().Select(entry => entry!.GetValue<string>()).ShouldBe(["tls.crt", "tls.key"]);
        var rule = mesh.Read("configz", "name=secretive").AsArray().ShouldHaveSingleItem()!;
        rule["source"]!["line"]!.GetValue<int>().ShouldBeGreaterThan(1);
        rule["spec"]!["http"]![0]!["match"]![0]!["headers"]!["authorization"]!["exact"]!.GetValue<string>().ShouldBe("[redacted]");
        rule["spec"]!["http"]![0]!["headers"]!["request"]!["set"]!["x-tame"]!.GetValue<string>().ShouldBe("shown");

        foreach (var (page, _) in mesh.Pages.Pages.Where(page => page.Name is not ("config_dump" or "describez")))
        {
            var text = mesh.Ask(page).Json!;
            text.ShouldNotContain("sesame");
            text.ShouldNotContain("PRIVATE KEY");
            text.ShouldNotContain(pems.Key.Split('\n')[1]);
        }

        mesh.Ask("describez", "host=secretive.example").Json!.ShouldNotContain("sesame");
    }

    [Fact]
    public async Task Rules_and_policies_of_a_workload_are_told_in_words()
    {
        await using var mesh = new DebugMesh(Reviews);

        var described = mesh.Read("describez", "workload=reviews-v2.default");
        described["principal"]!.GetValue<string>().ShouldBe("spiffe://cluster.local/ns/default/sa/bookinfo-reviews");
        var service = described["services"]!.AsArray().ShouldHaveSingleItem()!;
        service["ports"]![0]!["target"]!.GetValue<string>().ShouldBe("10.0.0.2:9080");
        service["destinationRule"]!["matchingSubsets"]!.AsArray().Select(subset => subset!.GetValue<string>()).ShouldBe(["v2"]);
        var routes = service["virtualService"]!["routes"]!.AsArray();
        routes[0]!["when"]!.GetValue<string>().ShouldBe("header end-user = jason");
        routes[0]!["to"]!.GetValue<string>().ShouldBe("reviews subset v2");
        routes[0]!["also"]![0]!.GetValue<string>().ShouldBe("timeout 3s");
        routes[0]!["reaches"]!.GetValue<bool>().ShouldBeTrue();
        routes[1]!["to"]!.GetValue<string>().ShouldBe("90% reviews subset v1, 10% reviews subset v2");
        described["policies"]!["authorizationPolicies"]![0]!["name"]!.GetValue<string>().ShouldBe("reviews-viewer");
        described["policies"]!["mutualTls"]!.GetValue<string>().ShouldBe("PERMISSIVE");

        mesh.Read("describez", "service=reviews.default")["services"]![0]!["endpoints"]![0]!["subsets"]![0]!.GetValue<string>().ShouldBe("v2");
        mesh.Read("describez", "host=reviews:9080")["means"]!.GetValue<string>().ShouldBe("reviews.default.svc.cluster.local:9080");
        mesh.Ask("describez", "service=nobody").StatusCode.ShouldBe(404);
    }

    [Fact]
    public async Task Nobody_from_elsewhere_sees_anything_without_the_role()
    {
        await using var mesh = new DebugMesh(Reviews);
        var stranger = new CallerCredentials { Remote = new IPEndPoint(IPAddress.Parse("192.0.2.7"), 4000) };
        foreach (var (page, _) in mesh.Pages.Pages.Append(("no-such-page", "")))
        {
            var reply = mesh.Ask(stranger, page, "host=reviews", "proxyID=productpage");
            reply.StatusCode.ShouldBe(403);
            reply.Json!.ShouldNotContain("reviews");
        }

        mesh.Pages.MayRead(stranger, "metrics").ShouldBeFalse();
        mesh.Ask(DebugMesh.Local with { BearerToken = "wrong-wrong-wrong-wrong" }, "syncz").StatusCode.ShouldBe(403);
        mesh.Ask("no-such-page").StatusCode.ShouldBe(404);
    }

    [Fact]
    public async Task Names_that_strangers_choose_cannot_write_lines_or_orders_for_a_terminal()
    {
        await using var mesh = new DebugMesh(Reviews);
        var peer = await mesh.ConnectAsync("sidecar~10.0.0.9~evil\u001b[2J\n<script>.default~default.svc.cluster.local", """{"NAMESPACE":"default","LABELS":{"app":"\u001b]0;title\u0007"}}""");
        await peer.SubscribeAsync(TypeUrls.Cluster, Cluster);
        await peer.WaitForAsync<Envoy.Config.Cluster.V3.Cluster>(TypeUrls.Cluster, Cluster);
        foreach (var page in new[] { "syncz", "adsz" })
        {
            var text = mesh.Ask(page).Json!;
            text.Any(c => char.IsControl(c) && c is not ('\n' or '\r')).ShouldBeFalse();
            text.ShouldNotContain("<script>");
        }

        mesh.Ask("config_dump", "proxyID=\u001b[2J").Json!.ShouldNotContain("\u001b");
    }
}
