using Envoy.Service.Discovery.V3;
using Mesh.Xds.Ads;
using Mesh.Xds.Grpc;
using Mesh.Xds.Serving;
using static Mesh.Xds.Tests.Serving.SotwPeer;

namespace Mesh.Xds.Tests.Serving;

/// <summary>State of the world (xDS protocol, "The State of the World variant"). A secret is the probe: it is sent after all that is due before it.</summary>
public sealed class SotwTests : IAsyncDisposable
{
    private readonly AdsServerFixture _mesh = new();

    [Theory]
    [InlineData(TypeUrls.Listener)]
    [InlineData(TypeUrls.Cluster)]
    public async Task An_empty_first_list_means_all(string typeUrl)
    {
        Set(typeUrl, "a");
        Set(typeUrl, "b");
        var peer = await _mesh.ConnectAsync();

        await peer.SubscribeAsync(typeUrl, "");

        var response = await peer.ReceiveAsync();
        response.TypeUrl.ShouldBe(typeUrl);
        response.ControlPlane.Identifier.ShouldBe("mesh");
        NamesOf(response).ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task The_wildcard_is_answered_even_when_there_is_nothing()
    {
        var peer = await _mesh.ConnectAsync();

        await peer.SubscribeAsync(TypeUrls.Cluster, "");

        (await peer.ReceiveAsync()).Resources.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_empty_list_after_names_unsubscribes_from_all()
    {
        _mesh.SetListener("a");
        _mesh.SetListener("b");
        var peer = await _mesh.ConnectAsync();
        await peer.SubscribeAsync(TypeUrls.Listener, "", "a");
        var response = await peer.ReceiveAndAckAsync();
        NamesOf(response).ShouldBe(["a"]);

        await peer.SubscribeAsync(TypeUrls.Listener, response.Nonce);
        await ShouldHaveNothingDueAsync(peer, "read");
        _mesh.SetListener("a", "changed");
        _mesh.Push(TypeUrls.Listener);

        await ShouldHaveNothingDueAsync(peer);
    }

    [Fact]
    public async Task Naming_something_ends_the_implicit_wildcard()
    {
        _mesh.SetListener("a");
        _mesh.SetListener("b");
        var peer = await _mesh.ConnectAsync();
        await peer.SubscribeAsync(TypeUrls.Listener, "");
        var response = await peer.ReceiveAndAckAsync();

        await peer.SubscribeAsync(TypeUrls.Listener, response.Nonce, "a");

        NamesOf(await peer.ReceiveAsync()).ShouldBe(["a"]);
    }

    [Fact]
    public async Task An_explicit_wildcard_goes_together_with_names()
    {
        _mesh.SetListener("a");
        _mesh.SetListener("on-demand");
        _mesh.SetListener("not-asked-for");
        _mesh.Backend.OnDemand.UnionWith(["on-demand", "not-asked-for"]);
        var peer = await _mesh.ConnectAsync();

        await peer.SubscribeAsync(TypeUrls.Listener, "", "*", "on-demand");

        NamesOf(await peer.ReceiveAsync()).ShouldBe(["a", "on-demand"]);
    }

    [Theory]
    [InlineData(TypeUrls.Listener)]
    [InlineData(TypeUrls.RouteConfiguration)]
    [InlineData(TypeUrls.ClusterLoadAssignment)]
    public async Task Unknown_names_are_answered_by_a_response_without_them(string typeUrl)
    {
        Set(typeUrl, "known");
        var peer = await _mesh.ConnectAsync();
        await peer.SubscribeAsync(typeUrl, "", "unknown");
        var response = await peer.ReceiveAndAckAsync();
        response.Resources.ShouldBeEmpty();

        await peer.SubscribeAsync(typeUrl, response.Nonce, "unknown", "known");

        NamesOf(await peer.ReceiveAsync()).ShouldBe(["known"]);
    }

    [Fact]
    public async Task A_resource_that_appears_later_is_sent()
    {
        var peer = await _mesh.ConnectAsync();
        await peer.SubscribeAsync(TypeUrls.RouteConfiguration, "", "r");
        await peer.ReceiveAndAckAsync();

        _mesh.SetRoute("r");
        _mesh.Push(TypeUrls.RouteConfiguration, "r");

        NamesOf(await peer.ReceiveAsync()).ShouldBe(["r"]);
    }

    [Fact]
    public async Task Listeners_and_clusters_are_always_sent_complete()
    {
        _mesh.SetCluster("a");
        _mesh.SetCluster("b");
        var peer = await _mesh.ConnectAsync();
        await peer.SubscribeAsync(TypeUrls.Cluster, "", "a", "b");
        var first = await peer.ReceiveAndAckAsync();

        _mesh.SetCluster("b", "changed");
        _mesh.Push(TypeUrls.Cluster, "b");
        var second = await peer.ReceiveAndAckAsync();
        NamesOf(second).ShouldBe(["a", "b"]);
        second.VersionInfo.ShouldNotBe(first.VersionInfo);
        second.Nonce.ShouldNotBe(first.Nonce);

        _mesh.Backend.Remove(TypeUrls.Cluster, "a");
        _mesh.Push(TypeUrls.Cluster, "a");
        NamesOf(await peer.ReceiveAsync()).ShouldBe(["b"]);
    }

    [Fact]
    public async Task Of_routes_and_endpoints_only_the_changed_ones_travel()
    {
        _mesh.SetEndpoints("a");
        _mesh.SetEndpoints("b");
        var peer = await _mesh.ConnectAsync();
        await peer.SubscribeAsync(TypeUrls.ClusterLoadAssignment, "", "a", "b");
        await peer.ReceiveAndAckAsync();

        _mesh.SetEndpoints("b", 2);
        _mesh.Push(TypeUrls.ClusterLoadAssignment, "b");

        NamesOf(await peer.ReceiveAsync()).ShouldBe(["b"]);
    }

    [Fact]
    public async Task A_push_that_changes_nothing_sends_nothing()
    {
        _mesh.SetCluster("a");
        var peer = await _mesh.ConnectAsync();
        await peer.SubscribeAsync(TypeUrls.Cluster, "");
        await peer.ReceiveAndAckAsync();

        _mesh.SetCluster("a");
        _mesh.PushAll();

        await ShouldHaveNothingDueAsync(peer);
    }

    [Fact]
    public async Task A_stale_nonce_is_ignored()
    {
        _mesh.SetRoute("a");
        _mesh.SetRoute("b");
        var peer = await _mesh.ConnectAsync();
        await peer.SubscribeAsync(TypeUrls.RouteConfiguration, "", "a");
        var first = await peer.ReceiveAndAckAsync();
        _mesh.SetRoute("a", "changed");
        _mesh.Push(TypeUrls.RouteConfiguration);
        var second = await peer.ReceiveAsync();

        await peer.SubscribeAsync(TypeUrls.RouteConfiguration, first.Nonce, "a", "b");
        await peer.SubscribeAsync(TypeUrls.RouteConfiguration, "999", "a", "b");
        await peer.SubscribeAsync(TypeUrls.RouteConfiguration, "no number", "a", "b");
        await ShouldHaveNothingDueAsync(peer);

        await peer.SubscribeAsync(TypeUrls.RouteConfiguration, second.Nonce, "a", "b");
        NamesOf(await peer.ReceiveAsync()).ShouldBe(["b"]);
    }

    [Fact]
    public async Task An_acknowledgement_is_not_answered_and_known_to_backend_and_status()
    {
        _mesh.SetCluster("a");
        var peer = await _mesh.ConnectAsync();
        await peer.SubscribeAsync(TypeUrls.Cluster, "");
        var response = await peer.ReceiveAndAckAsync();

        await ShouldHaveNothingDueAsync(peer);

        _mesh.Backend.Answers.ShouldContain((TypeUrls.Cluster, response.VersionInfo, null));
        var connection = _mesh.Server.Connections.ShouldHaveSingleItem();
        connection.Node!.Id.ShouldBe("peer");
        connection.IsDelta.ShouldBeFalse();
        connection.Connection.IsInProcess.ShouldBeTrue();
        var status = connection.Types.Single(type => type.TypeUrl == TypeUrls.Cluster);
        status.ShouldBe(new AdsTypeStatus(TypeUrls.Cluster, 0, true, response.VersionInfo, response.VersionInfo, null, 1, 2)
        {
            State = AdsSyncState.Synced,
            LastSent = _mesh.Time.GetUtcNow(),
            LastAcked = _mesh.Time.GetUtcNow(),
        });
    }

    [Fact]
    public async Task Refused_content_is_remembered_and_not_sent_again_until_it_changes()
    {
        _mesh.SetCluster("a");
        var peer = await _mesh.ConnectAsync();
        await peer.SubscribeAsync(TypeUrls.Cluster, "");
        var bad = await peer.ReceiveAsync();

        await peer.NackAsync(bad, "a: lb_policy: unknown");
        _mesh.PushAll();
        await ShouldHaveNothingDueAsync(peer);

        var status = _mesh.Server.Connections[0].Types.Single(type => type.TypeUrl == TypeUrls.Cluster);
        status.LastNack.ShouldBe("a: lb_policy: unknown");
        status.SentVersion.ShouldBe(bad.VersionInfo);
        status.AckedVersion.ShouldBe("");
        _mesh.Backend.Answers.ShouldContain((TypeUrls.Cluster, bad.VersionInfo, "a: lb_policy: unknown"));

        _mesh.SetCluster("a", "better");
        _mesh.PushAll();
        var good = await peer.ReceiveAndAckAsync();
        await ShouldHaveNothingDueAsync(peer, "second probe");
        _mesh.Server.Connections[0].Types.Single(type => type.TypeUrl == TypeUrls.Cluster).LastNack.ShouldBeNull();
        good.VersionInfo.ShouldNotBe(bad.VersionInfo);
    }

    [Fact]
    public async Task What_was_unsubscribed_is_sent_anew_when_it_is_asked_for_again()
    {
        _mesh.SetRoute("a");
        _mesh.SetRoute("b");
        var peer = await _mesh.ConnectAsync();
        await peer.SubscribeAsync(TypeUrls.RouteConfiguration, "", "a", "b");
        var response = await peer.ReceiveAndAckAsync();

        await peer.SubscribeAsync(TypeUrls.RouteConfiguration, response.Nonce, "b");
        await peer.SubscribeAsync(TypeUrls.RouteConfiguration, response.Nonce, "b", "a");

        NamesOf(await peer.ReceiveAsync()).ShouldBe(["a"]);
    }

    [Fact]
    public async Task A_new_stream_is_answered_whatever_version_and_nonce_it_brings()
    {
        _mesh.SetCluster("a");
        var first = await _mesh.ConnectAsync();
        await first.SubscribeAsync(TypeUrls.Cluster, "");
        var before = await first.ReceiveAndAckAsync();
        await first.DisposeAsync();

        var second = await _mesh.ConnectAsync();
        await second.SendAsync(new DiscoveryRequest { TypeUrl = TypeUrls.Cluster, VersionInfo = before.VersionInfo, ResponseNonce = "17" });

        var after = await second.ReceiveAsync();
        NamesOf(after).ShouldBe(["a"]);
        after.VersionInfo.ShouldBe(before.VersionInfo);
    }

    [Fact]
    public async Task An_unknown_type_is_ignored()
    {
        var peer = await _mesh.ConnectAsync();

        await peer.SubscribeAsync("type.googleapis.com/envoy.config.unknown.v3.Thing", "", "x");

        await ShouldHaveNothingDueAsync(peer);
    }

    [Fact]
    public async Task The_first_request_must_name_its_node()
    {
        await using var transport = new InProcessAdsTransport(_mesh.Server);
        var call = await transport.OpenStreamAsync(CancellationToken.None);
        await call.WriteAsync(new DiscoveryRequest { TypeUrl = TypeUrls.Cluster }, CancellationToken.None);

        var exception = await Should.ThrowAsync<RpcException>(() => call.ReadAsync(CancellationToken.None).AsTask().Guarded());

        exception.StatusCode.ShouldBe(StatusCode.InvalidArgument);
        exception.Detail.ShouldContain("node");
    }

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    private async Task ShouldHaveNothingDueAsync(SotwPeer peer, string probe = "probe")
    {
        _mesh.SetSecret(probe);
        await peer.SubscribeAsync(TypeUrls.Secret, "", probe);
        var response = await peer.ReceiveAsync();
        response.TypeUrl.ShouldBe(TypeUrls.Secret);
    }

    private void Set(string typeUrl, string name)
    {
        switch (typeUrl)
        {
            case TypeUrls.Listener: _mesh.SetListener(name); break;
            case TypeUrls.RouteConfiguration: _mesh.SetRoute(name); break;
            case TypeUrls.Cluster: _mesh.SetCluster(name); break;
            default: _mesh.SetEndpoints(name); break;
        }
    }
}
