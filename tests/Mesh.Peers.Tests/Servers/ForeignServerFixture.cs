using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;
using Mesh.Xds.Grpc;

namespace Mesh.Peers.Tests.Servers;

/// <summary>Our client, watching clusters a and b, at a server nobody here wrote.</summary>
internal sealed class ForeignServerFixture : IAsyncDisposable
{
    private readonly XdsClient _client;

    private ForeignServerFixture(ForeignAdsServer server, bool delta)
    {
        Server = server;
        _client = new XdsClient(
            [new XdsServer(new GrpcAdsTransport(server.Target, new GrpcChannelOptions()))],
            new XdsClientOptions { Node = new Node { Id = "ours" }, Delta = delta });
        _client.Watch(ClusterType.Instance, "a", A);
        _client.Watch(ClusterType.Instance, "b", B);
    }

    public ForeignAdsServer Server { get; }

    public ClusterWatcher A { get; } = new();

    public ClusterWatcher B { get; } = new();

    public static async Task<ForeignServerFixture> StartAsync(Peer peer, bool delta, string script = "ads_server") =>
        new(await ForeignAdsServer.StartAsync(peer, script), delta);

    public static DiscoveryResponse Sotw(string version, string nonce, params (string Name, string Content)[] clusters) => new()
    {
        TypeUrl = TypeUrls.Cluster,
        VersionInfo = version,
        Nonce = nonce,
        Resources = { clusters.Select(cluster => Any.Pack(NewCluster(cluster))) },
    };

    public static DeltaDiscoveryResponse Delta(string nonce, string[] removed, params (string Name, string Content)[] clusters) => new()
    {
        TypeUrl = TypeUrls.Cluster,
        Nonce = nonce,
        RemovedResources = { removed },
        Resources =
        {
            clusters.Select(cluster => new Resource { Name = cluster.Name, Version = $"version-{cluster.Content}", Resource_ = Any.Pack(NewCluster(cluster)) }),
        },
    };

    /// <summary>Reads requests until both clusters have been asked for; how many it takes is the client's affair.</summary>
    public static async Task<List<DiscoveryRequest>> ReceiveSubscriptionAsync(ForeignStream stream)
    {
        var requests = new List<DiscoveryRequest>();
        do
        {
            requests.Add(await stream.ReceiveAsync(DiscoveryRequest.Parser));
        }
        while (requests[^1].ResourceNames.Count < 2);
        requests[^1].ResourceNames.ShouldBe(["a", "b"], ignoreOrder: true);
        requests[0].Node.Id.ShouldBe("ours");
        return requests;
    }

    /// <inheritdoc cref="ReceiveSubscriptionAsync"/>
    public static async Task<List<DeltaDiscoveryRequest>> ReceiveDeltaSubscriptionAsync(ForeignStream stream)
    {
        var requests = new List<DeltaDiscoveryRequest>();
        do
        {
            requests.Add(await stream.ReceiveAsync(DeltaDiscoveryRequest.Parser));
        }
        while (requests.Sum(request => request.ResourceNamesSubscribe.Count) < 2);
        requests.SelectMany(request => request.ResourceNamesSubscribe).ShouldBe(["a", "b"], ignoreOrder: true);
        requests[0].Node.Id.ShouldBe("ours");
        return requests;
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        await Server.DisposeAsync();
    }

    private static Cluster NewCluster((string Name, string Content) cluster) => new() { Name = cluster.Name, AltStatName = cluster.Content };
}
