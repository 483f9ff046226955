using System.Net;
using System.Text.Json;
using Mesh.Peers.Tests.Callers;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.Peers.Tests.Status;

/// <summary>Status by CSDS, asked for by gRPC's C-core as <c>grpcdebug</c> asks: of a client by itself, and of all clients by their control plane.</summary>
[Trait("Category", "Peers")]
public class ClientStatusTests
{
    private const string Cluster = "outbound|9080||reviews.default.svc.cluster.local";

    private static string Documents(int port) => $$$"""
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: reviews}
        spec:
          hosts: [reviews.default.svc.cluster.local]
          location: MESH_INTERNAL
          resolution: STATIC
          ports: [{number: 9080, name: http, protocol: HTTP}]
          endpoints:
          - {address: 127.0.0.1, ports: {http: {{{port}}}}}
        """;

    [PeerFact("C-core")]
    public async Task A_client_tells_of_its_own_resources()
    {
        await using var reviews = await StartAsync();
        await using var control = await ControlPlaneHost.StartAsync(Documents(PortOf(reviews)));
        await using var app = await StartAsync(control.Authority);
        await CallAsync(app);

        foreach (var method in (string[])["fetch", "stream"])
        {
            var responses = await AskAsync(AuthorityOf(app), method);
            responses.GetArrayLength().ShouldBe(method == "fetch" ? 1 : 2);
            var client = responses[responses.GetArrayLength() - 1].EnumerateArray().ShouldHaveSingleItem();
            client.GetProperty("node").GetString().ShouldBe(app.Services.GetRequiredService<IXdsClient>().Node.Id);
            var cluster = Resource(client, Cluster);
            Text(cluster, "type").ShouldBe(TypeUrls.Cluster);
            Text(cluster, "client").ShouldBe("ACKED");
            Text(cluster, "version").Length.ShouldBeGreaterThan(0);
            Text(cluster, "packed").ShouldBe(TypeUrls.Cluster);
            Text(cluster, "content").ShouldContain("reviews.default.svc.cluster.local");
            cluster.GetProperty("updated").GetInt64().ShouldBeGreaterThan(1_600_000_000);
            cluster.GetProperty("error").ValueKind.ShouldBe(JsonValueKind.Null);
        }

        var refused = await AskAsync(AuthorityOf(app), "fetch", "any");
        refused.GetProperty("code").GetString().ShouldBe("INVALID_ARGUMENT", "a client knows of no others (gRFC A40)");
    }

    [PeerFact("C-core")]
    public async Task The_control_plane_tells_of_all_its_clients_and_of_those_that_are_asked_for()
    {
        await using var reviews = await StartAsync();
        await using var control = await ControlPlaneHost.StartAsync(Documents(PortOf(reviews)));
        await using var app = await StartAsync(control.Authority);
        await CallAsync(app);
        var epoch = control.Server.Push(Mesh.Xds.Serving.AdsChange.Everything);
        await control.Server.WhenAcknowledgedAsync(epoch, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));

        var id = app.Services.GetRequiredService<IXdsClient>().Node.Id;
        var all = (await AskAsync(control.Authority, "fetch"))[0].EnumerateArray().Select(c => Text(c, "node")).ToList();
        all.ShouldContain(id);

        var client = (await AskAsync(control.Authority, "fetch", id[..^1]))[0].EnumerateArray().ShouldHaveSingleItem();
        var cluster = Resource(client, Cluster);
        (Text(cluster, "config"), Text(cluster, "client")).ShouldBe(("SYNCED", "ACKED"));
        Text(cluster, "content").ShouldContain("reviews.default.svc.cluster.local");

        (await AskAsync(control.Authority, "fetch", "nobody"))[0].GetArrayLength().ShouldBe(0);
    }

    private static string Text(JsonElement element, string property) => element.GetProperty(property).GetString() ?? "";

    private static JsonElement Resource(JsonElement client, string name) => client.GetProperty("resources").EnumerateArray().Single(r => Text(r, "name") == name && Text(r, "type") == TypeUrls.Cluster);

    private static async Task<JsonElement> AskAsync(string target, string method, string prefix = "-")
    {
        await using var process = Peer.Python.Run("client_status", new Dictionary<string, string>(), target, method, prefix);
        return JsonDocument.Parse(await process.ReadLineAsync()).RootElement;
    }

    private static async Task<WebApplication> StartAsync(string? controlPlane = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Loopback, 0, l => l.Protocols = controlPlane is null ? Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http1 : Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http2));
        if (controlPlane is not null)
        {
            builder.AddMesh(options =>
            {
                options.Xds.Server = $"http://{controlPlane}";
                options.Workload.Name = "asking";
            });
            builder.Services.AddHttpClient();
        }

        var app = builder.Build();
        if (controlPlane is not null)
        {
            app.MapMeshClientStatus();
        }
        else
        {
            app.MapGet("/", () => "ok");
        }

        await app.StartAsync();
        return app;
    }

    private static string AuthorityOf(WebApplication app) => new Uri(app.Urls.Single()).Authority;

    private static int PortOf(WebApplication app) => new Uri(app.Urls.Single()).Port;

    private static async Task CallAsync(WebApplication app)
    {
        using var client = app.Services.GetRequiredService<IHttpClientFactory>().CreateClient();
        (await client.GetStringAsync("http://reviews.default.svc.cluster.local:9080/").WaitAsync(TimeSpan.FromSeconds(60))).ShouldBe("ok");
    }
}
