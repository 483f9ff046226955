using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.Cli.Tests;
using Mesh.ControlPlane.Debug;

namespace Mesh.EndToEnd.Tests.Commands;

/// <summary>Looking at the configuration of proxies, as the labs do with istioctl.</summary>
public sealed class MeshctlLabs
{
    private const string Host = "customers.default.svc.cluster.local";
    private const string V1 = "outbound|80|v1|customers.default.svc.cluster.local";

    private static string Documents
        => LabYaml.Service("web-frontend") + LabYaml.Service("customers") + LabYaml.Subsets("customers", "v1") + LabYaml.Split("customers", ("v1", 0));

    private static string[][] Without(string[][] rows, string kind) => [.. rows.Where(row => !row[0].Contains(kind, StringComparison.Ordinal))];

    [Fact]
    [Trait("Lab", "P16")]
    public async Task From_listener_to_endpoint_the_way_of_a_request_is_found_in_a_client_in_process()
    {
        await using var mesh = await PodMesh.StartAsync(Documents);
        var pod = await mesh.AddPodAsync("customers");
        var caller = mesh.Caller(new MeshWorkload("web-frontend") { Version = "v1" });
        (await caller.AskAsync("http://customers/")).Status.ShouldBe(200);
        await mesh.SettleAsync();
        await using var meshctl = await MonitoringHost.StartAsync(mesh);

        // 1. The listener of the host leads to its routes.
        var listeners = (await meshctl.RunAsync("proxy-config", "listeners", "web-frontend", "--address", "0.0.0.0", "--port", "80")).Rows();
        listeners.ShouldBe([["ADDRESS", "PORT", "MATCH", "DESTINATION"], ["0.0.0.0", "80", "Host: customers:80", $"Route: outbound|80||{Host}"]]);

        // 2. The routes lead to the cluster.
        var routes = JsonNode.Parse((await meshctl.RunAsync("proxy-config", "routes", "web-frontend", "--name", "80", "-o", "json")).ShouldSucceed())!;
        var host = routes[0]!["virtualHosts"]![0]!;
        host["name"]!.GetValue<string>().ShouldBe($"{Host}:80");
        host["domains"]!.AsArray().Select(domain => domain!.GetValue<string>()).ShouldBeSubsetOf([
            Host, $"{Host}:80", "customers", "customers:80", "customers.default.svc", "customers.default.svc:80", "customers.default", "customers.default:80"]);
        var action = host["routes"]![0]!["route"]!;
        action["cluster"]!.GetValue<string>().ShouldBe(V1);
        action["timeout"]!.GetValue<string>().ShouldBe("0s");
        action["retryPolicy"]!["numRetries"]!.GetValue<int>().ShouldBe(2);

        // 3. The cluster has endpoints, and one more when the deployment is scaled.
        string[] Row(Pod of) => [string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{of.Port}"), "HEALTHY", "-", V1];
        string[] columns = ["ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"];
        (await meshctl.RunAsync("proxy-config", "endpoints", "web-frontend", "--cluster", V1)).Rows().ShouldBe([columns, Row(pod)]);
        var second = await mesh.AddPodAsync("customers");
        (await meshctl.RunAsync("proxy-config", "endpoints", "web-frontend", "--cluster", V1)).Rows()
            .ShouldBe([columns, .. new[] { Row(pod), Row(second) }.OrderBy(row => row[0], StringComparer.Ordinal)]);
    }

    [Fact]
    [Trait("Lab", "P16")]
    [Trait("Lab", "L004-25")]
    public async Task A_proxy_beside_its_application_has_every_cluster_with_its_subsets()
    {
        await using var mesh = await PodMesh.StartAsync(Documents);
        await mesh.AddPodAsync("customers");
        await using var sidecar = await SidecarNode.ConnectAsync(mesh.Server, "web-frontend", "v1");
        await mesh.SettleAsync();
        await using var meshctl = await MonitoringHost.StartAsync(mesh);

        (await meshctl.RunAsync("proxy-config", "cluster", "web-frontend-v1.default", "--fqdn", Host)).Rows().ShouldBe([
            ["SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"],
            [Host, "80", "-", "outbound", "EDS", "customers.default"],
            [Host, "80", "v1", "outbound", "EDS", "customers.default"]]);
        var all = (await meshctl.RunAsync("pc", "c", "web-frontend-v1")).Rows();
        Without(all, "Passthrough").Length.ShouldBe(4);
        (await meshctl.RunAsync("pc", "ep", "web-frontend-v1", "--status", "healthy")).Lines.Length.ShouldBe(3);
        var listeners = JsonNode.Parse((await meshctl.RunAsync("proxy-config", "listeners", "web-frontend-v1", "-o", "json", "--address", "0.0.0.0", "--port", "80")).ShouldSucceed())!.AsArray();
        listeners.Select(listener => listener!["name"]!.GetValue<string>()).Order(StringComparer.Ordinal).ShouldBe([$"{Host}:80", "web-frontend.default.svc.cluster.local:80"]);
        listeners[0]!["apiListener"]!["apiListener"]!["rds"]!["configSource"]!["resourceApiVersion"]!.GetValue<string>().ShouldBe("V3");
    }

    [Fact]
    [Trait("Lab", "A3-05")]
    [Trait("Lab", "L004-4")]
    [Trait("Lab", "L004-24")]
    public async Task Bookinfos_proxies_are_in_step_and_have_the_rule_for_jason()
    {
        await using var bookinfo = await Lab.Bookinfo.StartAsync();
        await bookinfo.Mesh.ApplyAsync(LabYaml.Subsets("reviews", "v1", "v2", "v3") + LabYaml.VirtualService("reviews", """
            - match: [{headers: {end-user: {exact: jason}}}]
              route: [{destination: {host: reviews, subset: v2}}]
            - route: [{destination: {host: reviews, subset: v1}}]
            """));
        (await bookinfo.OpenAsync()).Status.ShouldBe(200);
        await bookinfo.Mesh.SettleAsync();
        await using var meshctl = await MonitoringHost.StartAsync(bookinfo.Mesh);

        var status = (await meshctl.RunAsync("proxy-status")).Rows();
        status[0].ShouldBe(["NAME", "CLUSTER", "CDS", "LDS", "EDS", "RDS", "ECDS", "ISTIOD", "VERSION"]);
        var productpage = status.Single(row => row[0].StartsWith("productpage-", StringComparison.Ordinal));
        productpage[1..8].ShouldBe(["Kubernetes", "SYNCED", "SYNCED", "SYNCED", "SYNCED", "NOT SENT", ControlPlaneInstance.Name]);

        // Those that have called somebody: curl, and the reviews that the page came from.
        status.ShouldContain(row => row[0].StartsWith("curl-", StringComparison.Ordinal));

        var routes = JsonNode.Parse((await meshctl.RunAsync("proxy-config", "routes", "productpage", "--name", "9080", "-o", "json")).ShouldSucceed())!.AsArray();
        routes.Select(route => route!["name"]!.GetValue<string>()).ShouldContain("outbound|9080||details.default.svc.cluster.local");
        var reviews = routes.Single(route => route!["name"]!.GetValue<string>().EndsWith("|reviews.default.svc.cluster.local", StringComparison.Ordinal))!["virtualHosts"]![0]!["routes"]!;
        reviews[0]!["match"]!["headers"]![0]!["name"]!.GetValue<string>().ShouldBe("end-user");
        reviews[0]!["route"]!["cluster"]!.GetValue<string>().ShouldBe("outbound|9080|v2|reviews.default.svc.cluster.local");
        reviews[1]!["route"]!["cluster"]!.GetValue<string>().ShouldBe("outbound|9080|v1|reviews.default.svc.cluster.local");
        (await meshctl.RunAsync("analyze")).ShouldSucceed().ShouldBe("No validation issues found when analyzing namespace: default.\n");
    }

    [Fact]
    public async Task A_process_with_an_admin_port_is_found_by_its_name_and_tells_what_only_it_knows()
    {
        await using var mesh = await PodMesh.StartAsync(Documents);
        await mesh.AddPodAsync("customers");
        var frontend = await mesh.AddMeshAppAsync("web-frontend", settings: ["--Mesh:Admin:Port", "0"]);
        (await frontend.Client.AskAsync("http://customers/")).Status.ShouldBe(200);
        (await mesh.Caller(new MeshWorkload("curl")).AskAsync("http://customers/")).Status.ShouldBe(200);
        await mesh.SettleAsync();
        await using var meshctl = await MonitoringHost.StartAsync(mesh);

        (await meshctl.RunAsync("pc", "endpoints", "web-frontend", "--cluster", V1)).Rows()[1][1..].ShouldBe(["HEALTHY", "OK", V1]);
        var compared = (await meshctl.RunAsync("proxy-status", "web-frontend")).ShouldSucceed();
        foreach (var kind in new[] { "Clusters", "Endpoints", "Listeners", "Routes" })
        {
            compared.ShouldContain($"{kind} Match\n");
        }

        var why = (await meshctl.RunAsync("explain", "customers", "--path", "/", "--from", "web-frontend")).ShouldSucceed();
        why.ShouldContain(V1);
        JsonNode.Parse((await meshctl.RunAsync("explain", "customers", "--from", "web-frontend", "-o", "json")).ShouldSucceed())!["verdict"].ShouldNotBeNull();

        string LevelIn(CommandLine run) => run.Rows().SingleOrDefault(row => row[0] == "Mesh.Xds")?[1] ?? run.Error + run.Out;
        LevelIn(await meshctl.RunAsync("logs", "level", "web-frontend", "Mesh.Xds=warning")).ShouldBe("warning");
        LevelIn(await meshctl.RunAsync("pc", "log", "web-frontend", "--level", "Mesh.Xds:error")).ShouldBe("error");
        LevelIn(await meshctl.RunAsync("pc", "log", "web-frontend")).ShouldBe("error");
        var wrong = await meshctl.RunAsync("logs", "level", "web-frontend", "Mesh=loud");
        wrong.ExitCode.ShouldBe(Mesh.Cli.ExitCodes.Failure);
        wrong.Error.ShouldContain("A level is one of");

        // Who has announced none is told so.
        (await meshctl.RunAsync("explain", "customers", "--from", "curl")).Error.ShouldContain("Mesh:Admin:Port");
    }
}
