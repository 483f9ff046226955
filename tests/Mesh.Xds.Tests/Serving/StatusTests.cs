using Envoy.Config.Cluster.V3;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;

namespace Mesh.Xds.Tests.Serving;

/// <summary>What the engine knows of a client: the columns of <c>istioctl proxy-status</c>. A secret is the probe that the engine has read all before it.</summary>
public sealed class StatusTests : IAsyncDisposable
{
    private readonly AdsServerFixture _mesh = new();

    [Fact]
    public async Task A_kind_is_not_sent_until_there_is_a_response_then_stale_until_it_is_answered_then_synced()
    {
        var peer = await _mesh.ConnectAsync();
        var opened = _mesh.Time.GetUtcNow();
        await peer.SubscribeAsync(TypeUrls.ClusterLoadAssignment, "", "missing");
        await ProbeAsync(peer, "first");
        Of(TypeUrls.ClusterLoadAssignment).State.ShouldBe(AdsSyncState.Stale, "an empty answer is one");

        _mesh.SetCluster("a");
        _mesh.Time.Advance(TimeSpan.FromSeconds(5));
        await peer.SubscribeAsync(TypeUrls.Cluster, "");
        var endpoints = await peer.ReceiveAsync();
        endpoints.TypeUrl.ShouldBe(TypeUrls.Cluster);
        Of(TypeUrls.Cluster).ShouldBe(new AdsTypeStatus(TypeUrls.Cluster, 0, true, endpoints.VersionInfo, "", null, 1, 1) { State = AdsSyncState.Stale, LastSent = _mesh.Time.GetUtcNow() });

        _mesh.Time.Advance(TimeSpan.FromSeconds(1));
        await peer.AckAsync(endpoints);
        await ProbeAsync(peer, "second");

        var status = Of(TypeUrls.Cluster);
        (status.State, status.AckedVersion).ShouldBe((AdsSyncState.Synced, endpoints.VersionInfo));
        (status.LastAcked - status.LastSent).ShouldBe(TimeSpan.FromSeconds(1));
        _mesh.Server.Connections[0].Connection.OpenedAt.ShouldBe(opened);
    }

    [Fact]
    public async Task A_refusal_is_an_error_with_its_version_until_something_else_is_sent_and_its_time_stays()
    {
        _mesh.SetCluster("a");
        var peer = await _mesh.ConnectAsync();
        await peer.SubscribeAsync(TypeUrls.Cluster, "");
        var bad = await peer.ReceiveAsync();
        await peer.NackAsync(bad, "a: no");
        await ProbeAsync(peer, "first");
        var refused = _mesh.Time.GetUtcNow();

        var status = Of(TypeUrls.Cluster);
        (status.State, status.NackedVersion, status.LastNack, status.LastNacked).ShouldBe((AdsSyncState.Error, bad.VersionInfo, "a: no", refused));

        _mesh.Time.Advance(TimeSpan.FromSeconds(1));
        _mesh.SetCluster("a", "better");
        _mesh.PushAll();
        var good = await peer.ReceiveAsync();
        Of(TypeUrls.Cluster).State.ShouldBe(AdsSyncState.Stale);
        await peer.AckAsync(good);
        await ProbeAsync(peer, "second");

        status = Of(TypeUrls.Cluster);
        (status.State, status.NackedVersion, status.LastNack, status.LastNacked).ShouldBe((AdsSyncState.Synced, "", null, refused));
    }

    [Fact]
    public async Task Resources_are_told_with_what_was_sent_and_without_it_once_it_has_changed()
    {
        _mesh.SetCluster("a");
        _mesh.SetEndpoints("a");
        var peer = await _mesh.ConnectAsync();
        await peer.SubscribeAsync(TypeUrls.Cluster, "");
        await peer.ReceiveAndAckAsync();
        await peer.SubscribeAsync(TypeUrls.ClusterLoadAssignment, "", "a", "b");
        await peer.ReceiveAsync();

        var id = _mesh.Server.Connections[0].Connection.Id;
        var resources = _mesh.Server.ResourcesOf(id);
        resources.Select(r => (r.TypeUrl, r.Name, r.State, HasBody: r.Body is not null)).ShouldBe(
            [
                (TypeUrls.Cluster, "a", AdsSyncState.Synced, true),
                (TypeUrls.ClusterLoadAssignment, "a", AdsSyncState.Stale, true),
                (TypeUrls.ClusterLoadAssignment, "b", AdsSyncState.NotSent, false),
            ],
            ignoreOrder: true);
        resources[0].Body!.Unpack<Cluster>().Name.ShouldBe("a");

        // Changed in the model, not pushed: what the client has is not what could be shown.
        _mesh.SetCluster("a", "other");
        _mesh.Server.ResourcesOf(id)[0].Body.ShouldBeNull();
        _mesh.Server.ResourcesOf(id + 1).ShouldBeEmpty();
    }

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    private AdsTypeStatus Of(string typeUrl) => _mesh.Server.Connections[0].Types.Single(type => type.TypeUrl == typeUrl);

    private async Task ProbeAsync(SotwPeer peer, string name)
    {
        _mesh.SetSecret(name);
        await peer.SubscribeAsync(TypeUrls.Secret, "", name);
        while ((await peer.ReceiveAsync()).TypeUrl != TypeUrls.Secret)
        {
        }
    }
}
