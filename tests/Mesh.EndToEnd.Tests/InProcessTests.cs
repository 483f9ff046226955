using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.EndToEnd.Tests;

/// <summary>The control plane inside the application: a folder of YAML and no server.</summary>
public sealed class InProcessTests
{
    [Fact]
    public async Task A_worker_follows_a_folder_of_yaml_to_static_endpoints_and_its_changes()
    {
        await using var lab = new MeshLab();
        await using var one = await Workload.StartAsync(lab, "one", "v1", Protocol.Http, "one", options => (options.Server.Register, options.Server.Inbound) = (false, false));
        await using var two = await Workload.StartAsync(lab, "two", "v2", Protocol.Http, "two", options => (options.Server.Register, options.Server.Inbound) = (false, false));
        lab.Folder.Save("backend.yaml", $$"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: backend}
            spec:
              hosts: [backend.example.com]
              ports: [{number: 80, name: http, protocol: HTTP}]
              resolution: STATIC
              location: MESH_INTERNAL
              endpoints:
              - {address: 127.0.0.1, ports: {http: {{Port(one)}}}, labels: {version: v1} }
              - {address: 127.0.0.1, ports: {http: {{Port(two)}}}, labels: {version: v2} }
            ---
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: backend}
            spec:
              host: backend.example.com
              subsets: [{name: v1, labels: {version: v1} }, {name: v2, labels: {version: v2} }]
            """);
        Save(lab, "v1");
        await using var caller = await Caller.StartAsync(lab.Log, _ => { }, (_, mesh) => mesh.LoadFromIstio(lab.Folder.Path));

        (await VersionAsync(caller)).ShouldBe("v1");
        Save(lab, "v2");

        // Each turn is a request.
        var since = Stopwatch.StartNew();
        while (await VersionAsync(caller) != "v2")
        {
            since.Elapsed.ShouldBeLessThan(Guard.Hang, lab.Log.ToString());
        }

        using var named = new HttpRequestMessage(HttpMethod.Get, "http://backend.example.com/");
        named.Headers.Add("x-version", "v1");
        using var response = await caller.Client.SendAsync(named);
        response.Headers.GetValues(Workload.VersionHeader).Single().ShouldBe("v1");
    }

    private static void Save(MeshLab lab, string version)
        => lab.Folder.Save("rules.yaml", Yaml.VirtualService("backend.example.com", $$"""
            - match: [{headers: {x-version: {exact: v1} } }]
              route: [{destination: {host: backend.example.com, subset: v1} }]
            - route: [{destination: {host: backend.example.com, subset: {{version}} } }]
            """));

    private static string Port(Workload workload) => workload.Address.Port.ToString(CultureInfo.InvariantCulture);

    private static async Task<string> VersionAsync(Caller caller)
    {
        using var response = await caller.Client.GetAsync("http://backend.example.com/").OrHang();
        response.EnsureSuccessStatusCode();
        return response.Headers.GetValues(Workload.VersionHeader).Single();
    }
}
