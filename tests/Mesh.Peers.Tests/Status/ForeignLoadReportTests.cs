using System.Text.Json;
using Mesh.ControlPlane.Load;
using Mesh.Peers.Tests.Callers;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Peers.Tests.Status;

/// <summary>Load reports by gRPC's C-core, with messages that nobody here encodes.</summary>
[Trait("Category", "Peers")]
public class ForeignLoadReportTests
{
    private const string Cluster = "outbound|9080||reviews.default.svc.cluster.local";

    private const string Documents = """
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: reviews}
        spec:
          hosts: [reviews.default.svc.cluster.local]
          location: MESH_INTERNAL
          resolution: STATIC
          ports: [{number: 9080, name: grpc, protocol: GRPC}]
          endpoints:
          - {address: 10.0.0.2, labels: {app: reviews, version: v2}}
        """;

    [PeerFact("C-core")]
    public async Task A_foreign_client_is_asked_and_understood()
    {
        await using var control = await ControlPlaneHost.StartAsync(Documents);
        await using (var client = Peer.Python.Run("load_client", new Dictionary<string, string>(), control.Authority, "their-client", Cluster))
        {
            var asked = JsonDocument.Parse(await client.ReadLineAsync()).RootElement;
            asked.GetProperty("all").GetInt32().ShouldBe(1);
            asked.GetProperty("endpoints").GetInt32().ShouldBe(1);
            asked.GetProperty("seconds").GetInt32().ShouldBe(10);

            var window = control.Services.GetRequiredService<LoadWindow>();
            await client.WriteLineAsync("40 10 5");
            (await client.ReadLineAsync()).ShouldBe("sent");
            await client.WriteLineAsync("40 10 5");
            (await client.ReadLineAsync()).ShouldBe("sent");
            await UntilAsync(() => window.Reports == 2);

            var graph = Read(control);
            var edge = graph.Edges.ShouldHaveSingleItem();
            (edge.Destination.Host, edge.Destination.Port, edge.Source.Workload).ShouldBe(("reviews.default.svc.cluster.local", 9080u, "their-client"));
            edge.Rates.ErrorShare.ShouldBe(0.2, 1e-9);
            edge.Rates.InProgress.ShouldBe(1);
            (edge.Rates.Attempts / edge.Dropped["throttle"]).ShouldBe(10, 1e-9, "50 were issued for each 5 that were dropped");
            var place = edge.Localities.ShouldHaveSingleItem();
            place.Locality.ShouldBe("eu/a");
            var endpoint = edge.Endpoints.ShouldHaveSingleItem();
            endpoint.Address.ShouldBe("10.0.0.2:9080");
            endpoint.Workload!.Version.ShouldBe("v2");
            graph.Clients.ShouldHaveSingleItem().IsConnected.ShouldBeTrue();
        }

        await UntilAsync(() => !Read(control).Clients.Single().IsConnected);
    }

    [PeerFact("C-core")]
    public Task The_C_core_client_reports_what_it_calls_by_itself() => CallAsync(Peer.Python);

    [PeerFact("grpc-js")]
    public Task The_grpc_js_client_reports_what_it_calls_by_itself() => CallAsync(Peer.Node);

    private static async Task CallAsync(Peer peer)
    {
        const int Calls = 200;
        await using var server = await EchoServer.StartAsync("v1");
        await using var control = await ControlPlaneHost.StartAsync(
            $$$"""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: reviews}
            spec:
              hosts: [reviews.default.svc.cluster.local]
              location: MESH_INTERNAL
              resolution: STATIC
              ports: [{number: 9080, name: grpc, protocol: GRPC}]
              endpoints:
              - {address: 127.0.0.1, ports: {grpc: {{{server.Port}}}}, labels: {app: reviews, version: v1}}
            """,
            options => options.Load.Interval = TimeSpan.FromSeconds(1));
        await using var caller = peer.Run("caller", control.Bootstrap("peer-1"), "xds:///reviews:9080", EchoServer.Method, $"{Calls}");
        await caller.ReadLineAsync();

        await UntilAsync(() => Read(control).Edges.Sum(e => e.Rates.Attempts) > 0);
        var edge = Read(control).Edges.ShouldHaveSingleItem();
        edge.Destination.Host.ShouldBe("reviews.default.svc.cluster.local");
        edge.Rates.Errors.ShouldBe(0);
        control.Refusals.Messages.ShouldBeEmpty();
    }

    private static ServiceGraph Read(ControlPlaneHost control) => control.Services.GetRequiredService<ServiceGraphReader>().Read(TimeSpan.FromMinutes(5));

    private static async Task UntilAsync(Func<bool> condition, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(condition))] string? what = null)
    {
        var since = System.Diagnostics.Stopwatch.StartNew();
        while (!condition())
        {
            since.Elapsed.ShouldBeLessThan(TimeSpan.FromMinutes(1), what);
            await Task.Delay(10);
        }
    }
}
