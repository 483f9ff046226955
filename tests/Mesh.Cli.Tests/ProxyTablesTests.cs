using System.Text.Json.Nodes;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Mesh.Cli.Tests.Servers;
using Mesh.ControlPlane.Debug;
using Mesh.ControlPlane.Tests.Hosting;
using Mesh.Xds.Ads;

namespace Mesh.Cli.Tests;

/// <summary>The tables that people know from istioctl, letter by letter.</summary>
public sealed class ProxyTablesTests
{
    private const string V2 = "outbound|9080|v2|reviews.default.svc.cluster.local";

    private static async Task<AdsPeer> ConnectAsync(ControlPlaneUnderTest controlPlane, Func<Envoy.Service.Discovery.V3.DeltaDiscoveryResponse, string?>? refuse = null)
    {
        var peer = await controlPlane.ConnectAsync(MeshDocuments.ProductPage, MeshDocuments.ProductPageMetadata, refuse);
        await peer.SubscribeAsync(TypeUrls.Cluster, MeshDocuments.Cluster, V2);
        await peer.WaitForAsync<Cluster>(TypeUrls.Cluster, V2);
        await peer.SubscribeAsync(TypeUrls.ClusterLoadAssignment, MeshDocuments.Cluster, V2);
        await peer.WaitForAsync<ClusterLoadAssignment>(TypeUrls.ClusterLoadAssignment, V2);
        await peer.SubscribeAsync(TypeUrls.Listener, "reviews:9080");
        await peer.WaitForAsync<Listener>(TypeUrls.Listener, "reviews:9080");
        await peer.SubscribeAsync(TypeUrls.RouteConfiguration, MeshDocuments.Cluster);
        await peer.WaitForAsync<RouteConfiguration>(TypeUrls.RouteConfiguration, MeshDocuments.Cluster);

        // The answers to all of these have come when that to a later push has.
        controlPlane.Apply("""
            apiVersion: v1
            kind: Service
            metadata: {name: unrelated}
            spec: {ports: [{name: http, port: 80}]}
            """);
        await controlPlane.SettleAsync();
        return peer;
    }

    [Fact]
    [Trait("Lab", "A3-05")]
    public async Task Proxy_status_has_the_columns_of_istioctl()
    {
        await using var controlPlane = await ControlPlaneUnderTest.StartAsync(MeshDocuments.Reviews);
        await ConnectAsync(controlPlane);

        foreach (var name in new[] { "proxy-status", "ps" })
        {
            (await controlPlane.RunAsync(name)).Rows().ShouldBe([
                ["NAME", "CLUSTER", "CDS", "LDS", "EDS", "RDS", "ECDS", "ISTIOD", "VERSION"],
                ["productpage-v1-7d.default", "Kubernetes", "SYNCED", "SYNCED", "SYNCED", "SYNCED", "NOT SENT", ControlPlaneInstance.Name, "1.21.0"]]);
        }

        (await controlPlane.RunAsync("ps", "-n", "elsewhere")).Lines.ShouldHaveSingleItem().ShouldStartWith("NAME");
        (await controlPlane.RunAsync("ps", "-o", "json")).ShouldSucceed().ShouldContain("\"status\": \"SYNCED\"");
        (await controlPlane.RunAsync("ps", "-o", "yaml")).ShouldSucceed().ShouldContain("- proxy: productpage-v1-7d.default");
    }

    [Fact]
    public async Task A_refusal_is_seen_in_the_list_and_its_text_with_the_name()
    {
        await using var controlPlane = await ControlPlaneUnderTest.StartAsync(MeshDocuments.Reviews);
        await ConnectAsync(controlPlane, response => response.TypeUrl == TypeUrls.Cluster ? "cluster v2: connect_timeout must be positive" : null);

        (await controlPlane.RunAsync("ps")).Rows()[1][2].ShouldBe("NACK");
        var one = await controlPlane.RunAsync("ps", "productpage-v1");
        one.Rows()[0].ShouldBe(["TYPE", "STATUS", "SENT", "ACKED", "NACKED", "LAST SENT", "ERROR"]);
        one.Rows().Single(row => row[0] == "CDS").ShouldSatisfyAllConditions(row => row[1].ShouldBe("NACK"), row => row[^1].ShouldBe("cluster v2: connect_timeout must be positive"));
        one.Out.ShouldContain("no admin port");
    }

    [Fact]
    public async Task The_configuration_of_a_proxy_is_shown_in_istioctls_tables()
    {
        await using var controlPlane = await ControlPlaneUnderTest.StartAsync(MeshDocuments.Reviews);
        await ConnectAsync(controlPlane);

        (await controlPlane.RunAsync("proxy-config", "listeners", "productpage-v1")).Rows().ShouldBe([
            ["ADDRESS", "PORT", "MATCH", "DESTINATION"],
            ["0.0.0.0", "9080", "Host: reviews:9080", $"Route: {MeshDocuments.Cluster}"]]);
        (await controlPlane.RunAsync("pc", "r", "deploy/productpage-v1.default")).Rows().ShouldBe([
            ["NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"],
            [MeshDocuments.Cluster, "reviews.default.svc.cluster.local:9080", "reviews, reviews.default + 2 more...", "/*; end-user=jason", "reviews.default"],
            [MeshDocuments.Cluster, "reviews.default.svc.cluster.local:9080", "reviews, reviews.default + 2 more...", "/*", "reviews.default"]]);
        (await controlPlane.RunAsync("pc", "cluster", "productpage", "-n", "default")).Rows().ShouldBe([
            ["SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"],
            ["reviews.default.svc.cluster.local", "9080", "-", "outbound", "EDS", "reviews.default"],
            ["reviews.default.svc.cluster.local", "9080", "v2", "outbound", "EDS", "reviews.default"]]);
        (await controlPlane.RunAsync("pc", "endpoints", "productpage", "--cluster", V2)).Rows().ShouldBe([
            ["ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"],
            ["10.0.0.2:9080", "HEALTHY", "-", V2]]);
        (await controlPlane.RunAsync("pc", "all", "productpage")).ShouldSucceed().ShouldContain("DESTINATION RULE");
        JsonNode.Parse((await controlPlane.RunAsync("pc", "b", "productpage")).ShouldSucceed())!["node"]!["id"]!.GetValue<string>().ShouldBe(MeshDocuments.ProductPage);
    }

    [Fact]
    public async Task Filters_narrow_and_what_nothing_matches_is_an_empty_table()
    {
        await using var controlPlane = await ControlPlaneUnderTest.StartAsync(MeshDocuments.Reviews);
        await ConnectAsync(controlPlane);

        async Task<int> CountAsync(params string[] arguments)
        {
            var run = await controlPlane.RunAsync(["pc", arguments[0], "productpage", .. arguments[1..]]);
            run.ShouldSucceed();
            return run.Lines.Length - 1;
        }

        (await CountAsync("l", "--port", "9080", "--address", "0.0.0.0")).ShouldBe(1);
        (await CountAsync("l", "--port", "80")).ShouldBe(0);
        (await CountAsync("l", "--type", "tcp")).ShouldBe(0);
        (await CountAsync("c", "--fqdn", "reviews.default.svc.cluster.local")).ShouldBe(2);
        (await CountAsync("c", "--fqdn", "reviews", "--subset", "v2")).ShouldBe(1);
        (await CountAsync("c", "--fqdn", "review")).ShouldBe(0);
        (await CountAsync("c", "--direction", "inbound")).ShouldBe(0);
        (await CountAsync("r", "--name", "9080")).ShouldBe(2);
        (await CountAsync("r", "--name", "80")).ShouldBe(0);
        (await CountAsync("ep", "--address", "10.0.0.2")).ShouldBe(2);
        (await CountAsync("ep", "--port", "9080", "--status", "unhealthy")).ShouldBe(0);
    }

    [Fact]
    [Trait("Lab", "L004-24")]
    public async Task Routes_as_JSON_have_the_rule_for_jason_and_the_rest()
    {
        await using var controlPlane = await ControlPlaneUnderTest.StartAsync(MeshDocuments.Reviews);
        await ConnectAsync(controlPlane);

        var routes = JsonNode.Parse((await controlPlane.RunAsync("proxy-config", "routes", "productpage-v1", "--name", "9080", "-o", "json")).ShouldSucceed())!;
        var host = routes[0]!["virtualHosts"]![0]!;
        host["routes"]![0]!["match"]!["headers"]![0]!["name"]!.GetValue<string>().ShouldBe("end-user");
        host["routes"]![0]!["route"]!["cluster"]!.GetValue<string>().ShouldBe(V2);
        host["routes"]![1]!["route"]!["cluster"]!.GetValue<string>().ShouldBe("outbound|9080|v1|reviews.default.svc.cluster.local");
    }

    [Fact]
    public async Task Nothing_colours_what_is_not_looked_at()
    {
        await using var controlPlane = await ControlPlaneUnderTest.StartAsync(MeshDocuments.Reviews);
        await ConnectAsync(controlPlane);

        (await controlPlane.RunAsync("ps")).Out.ShouldNotContain("\u001b");
        var seen = await CommandLine.RunAsync(["--cp", controlPlane.Monitoring, "ps"], isTerminal: true);
        seen.ShouldSucceed().ShouldContain("\u001b[");
        var plain = await CommandLine.RunAsync(["--cp", controlPlane.Monitoring, "ps"], name => name == "NO_COLOR" ? "1" : null, isTerminal: true);
        plain.ShouldSucceed().ShouldNotContain("\u001b[3");
    }
}
