using System.Globalization;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.EndToEnd.Tests;

/// <summary>A service without endpoints of its own, from YAML to sockets.</summary>
public sealed class PassthroughTests
{
    [Fact]
    public async Task A_ServiceEntry_without_resolution_is_called_where_the_caller_says()
    {
        await using var lab = new MeshLab();
        await using var one = await Workload.StartAsync(lab, "one", "v1", Protocol.Http, "one", options => (options.Server.Register, options.Server.Inbound) = (false, false));
        await using var two = await Workload.StartAsync(lab, "two", "v2", Protocol.Http, "two", options => (options.Server.Register, options.Server.Inbound) = (false, false));
        lab.Folder.Save("backend.yaml", """
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: backend}
            spec:
              hosts: [backend.example.com]
              ports: [{number: 80, name: http, protocol: HTTP}]
              resolution: NONE
              location: MESH_EXTERNAL
            """);
        await using var caller = await Caller.StartAsync(lab.Log, _ => { }, (_, mesh) => mesh.LoadFromIstio(lab.Folder.Path));

        (await VersionAsync(caller, one)).ShouldBe("v1");
        (await VersionAsync(caller, two)).ShouldBe("v2");
        (await VersionAsync(caller, one)).ShouldBe("v1");
    }

    // Whom the mesh knows the service by is the Host header; where the caller would have connected to is the address.
    private static async Task<string> VersionAsync(Caller caller, Workload workload)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{workload.Address.Port}/"));
        request.Headers.Host = "backend.example.com";
        using var response = await caller.Client.SendAsync(request).OrHang();
        response.EnsureSuccessStatusCode();
        return response.Headers.GetValues(Workload.VersionHeader).Single();
    }
}
