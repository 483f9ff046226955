using Mesh.Xds.Ads;

namespace Mesh.Xds.Tests.Serving;

/// <summary>Make before break (xDS protocol, "Eventual consistency considerations").</summary>
public sealed class OrderTests : IAsyncDisposable
{
    private static readonly string[] InOrder =
        [TypeUrls.Cluster, TypeUrls.ClusterLoadAssignment, TypeUrls.Listener, TypeUrls.RouteConfiguration];

    private readonly AdsServerFixture _mesh = new();

    [Fact]
    public async Task What_changed_together_is_sent_clusters_endpoints_listeners_routes_without_waiting_for_answers()
    {
        Fill("1");
        var peer = await _mesh.ConnectDeltaAsync();
        foreach (var type in InOrder)
        {
            await peer.SubscribeAsync(type, "x");
            await peer.ReceiveAndAckAsync();
        }

        Fill("2");
        _mesh.PushAll();

        foreach (var type in InOrder)
        {
            (await peer.ReceiveAsync()).TypeUrl.ShouldBe(type);
        }
    }

    [Fact]
    public async Task A_cluster_is_removed_only_after_the_route_that_named_it_was_replaced()
    {
        var peer = await _mesh.ConnectDeltaAsync();
        _mesh.SetCluster("old");
        _mesh.SetRoute("r", "old");
        await peer.SubscribeAsync(TypeUrls.Cluster);
        await peer.ReceiveAndAckAsync();
        await peer.SubscribeAsync(TypeUrls.RouteConfiguration, "r");
        await peer.ReceiveAndAckAsync();

        _mesh.Backend.Remove(TypeUrls.Cluster, "old");
        _mesh.SetCluster("new");
        _mesh.SetRoute("r", "new");
        _mesh.PushAll();

        var added = await peer.ReceiveAsync();
        DeltaPeer.NamesOf(added).ShouldBe(["new"]);
        added.RemovedResources.ShouldBeEmpty();
        (await peer.ReceiveAsync()).TypeUrl.ShouldBe(TypeUrls.RouteConfiguration);
        (await peer.ReceiveAsync()).RemovedResources.ShouldBe(["old"]);
    }

    [Fact]
    public async Task In_the_state_of_the_world_the_old_cluster_stays_in_the_first_answer()
    {
        var peer = await _mesh.ConnectAsync();
        _mesh.SetCluster("old");
        _mesh.SetRoute("r", "old");
        await peer.SubscribeAsync(TypeUrls.Cluster, "");
        await peer.ReceiveAndAckAsync();
        await peer.SubscribeAsync(TypeUrls.RouteConfiguration, "", "r");
        await peer.ReceiveAndAckAsync();

        _mesh.Backend.Remove(TypeUrls.Cluster, "old");
        _mesh.SetCluster("new");
        _mesh.SetRoute("r", "new");
        _mesh.PushAll();

        SotwPeer.NamesOf(await peer.ReceiveAsync()).ShouldBe(["new", "old"], ignoreOrder: true);
        (await peer.ReceiveAsync()).TypeUrl.ShouldBe(TypeUrls.RouteConfiguration);
        SotwPeer.NamesOf(await peer.ReceiveAsync()).ShouldBe(["new"]);
    }

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    private void Fill(string content)
    {
        _mesh.SetRoute("x", content);
        _mesh.SetListener("x", content);
        _mesh.SetEndpoints("x", (uint)content[0]);
        _mesh.SetCluster("x", content);
    }
}
