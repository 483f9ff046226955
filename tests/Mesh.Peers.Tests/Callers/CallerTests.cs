using System.Text.Json;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;

namespace Mesh.Peers.Tests.Callers;

/// <summary>xDS clients that nobody here wrote, through the control plane and to the end of their calls.</summary>
[Trait("Category", "Peers")]
public sealed class CallerTests
{
    private const int Calls = 10_000;

    [PeerFact("C-core")]
    public Task The_C_core_client_resolves_calls_and_honours_weights() => CallAsync(Peer.Python);

    [PeerFact("grpc-js")]
    public Task The_grpc_js_client_resolves_calls_and_honours_weights() => CallAsync(Peer.Node);

    private static async Task CallAsync(Peer peer)
    {
        // 1. Two versions of a service, nine to one.
        await using var v1 = await EchoServer.StartAsync("v1");
        await using var v2 = await EchoServer.StartAsync("v2");
        await using var control = await ControlPlaneHost.StartAsync(Documents(v1.Port, v2.Port));

        // 2. The peer finds it by its short name and calls.
        await using var caller = peer.Run("caller", control.Bootstrap("peer-1"), "xds:///reviews:9080", EchoServer.Method, $"{Calls}");
        var answers = JsonSerializer.Deserialize<Dictionary<string, int>>(await caller.ReadLineAsync())!;

        // 3. Every call was answered, in the ratio asked for: ± 1.5 points are five standard deviations.
        answers.Keys.ShouldBe(["v1", "v2"], ignoreOrder: true, string.Join(", ", answers));
        answers.Values.Sum().ShouldBe(Calls);
        answers["v1"].ShouldBeInRange(Calls * 885 / 1_000, Calls * 915 / 1_000);

        // 4. The control plane saw every kind acknowledged and nothing refused.
        var epoch = control.Server.Push(AdsChange.Everything);
        await control.Server.WhenAcknowledgedAsync(epoch, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30));
        var connection = control.Server.Connections.Single(open => open.Node!.Id == "peer-1");
        connection.Types.Select(type => type.TypeUrl).ShouldBe(
            [TypeUrls.Cluster, TypeUrls.ClusterLoadAssignment, TypeUrls.Listener, TypeUrls.RouteConfiguration], ignoreOrder: true);
        foreach (var type in connection.Types)
        {
            type.LastNack.ShouldBeNull(type.TypeUrl);
            type.Responses.ShouldBeGreaterThan(0, type.TypeUrl);
            type.AckedVersion.ShouldBe(type.SentVersion, type.TypeUrl);
        }

        control.Refusals.Messages.ShouldBeEmpty();
    }

    private static string Documents(int v1, int v2) => $$$"""
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: reviews}
        spec:
          hosts: [reviews.default.svc.cluster.local]
          location: MESH_INTERNAL
          resolution: STATIC
          ports: [{number: 9080, name: grpc, protocol: GRPC}]
          endpoints:
          - {address: 127.0.0.1, ports: {grpc: {{{v1}}} }, labels: {version: v1}}
          - {address: 127.0.0.1, ports: {grpc: {{{v2}}} }, labels: {version: v2}}
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: reviews}
        spec:
          host: reviews.default.svc.cluster.local
          subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: reviews}
        spec:
          hosts: [reviews.default.svc.cluster.local]
          http:
          - route:
            - {destination: {host: reviews.default.svc.cluster.local, subset: v1}, weight: 90}
            - {destination: {host: reviews.default.svc.cluster.local, subset: v2}, weight: 10}
        ---
        # Signals are for processes of this mesh: gRPC libraries are sent what Istio's gRPC generator sends, which is none of it.
        apiVersion: mesh.istio.io/v1alpha1
        kind: MeshConfig
        spec:
          accessLogFile: /dev/stdout
          enableTracing: true
          extensionProviders:
          - {name: zipkin, zipkin: {service: reviews.default.svc.cluster.local, port: 9080}}
          - {name: als, envoyHttpAls: {service: reviews.default.svc.cluster.local, port: 9080}}
        ---
        apiVersion: telemetry.istio.io/v1
        kind: Telemetry
        metadata: {name: mesh, namespace: istio-system}
        spec:
          tracing: [{providers: [{name: zipkin}], randomSamplingPercentage: 100}]
          accessLogging: [{providers: [{name: envoy}, {name: als}]}]
          metrics: [{providers: [{name: prometheus}], overrides: [{match: {metric: REQUEST_COUNT}, tagOverrides: {request_host: {value: request.host} } }]}]
        """;
}
