using Envoy.Service.Discovery.V3;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;
using static Mesh.Xds.Tests.Serving.DeltaPeer;

namespace Mesh.Xds.Tests.Serving;

/// <summary>The incremental variant (xDS protocol, "Incremental xDS"). A secret is the probe: it is sent after all that is due before it.</summary>
public sealed class DeltaTests : IAsyncDisposable
{
    private readonly AdsServerFixture _mesh = new(new AdsServerLimits { MaxDeltaResponseBytes = 4_096 });

    [Fact]
    public async Task An_empty_first_request_means_all_and_then_only_changes_travel()
    {
        _mesh.SetCluster("a");
        _mesh.SetCluster("b");
        var peer = await _mesh.ConnectDeltaAsync();

        await peer.SubscribeAsync(TypeUrls.Cluster);
        var all = await peer.ReceiveAndAckAsync();
        NamesOf(all).ShouldBe(["a", "b"]);
        all.Resources.ShouldAllBe(resource => resource.Version.Length > 0);
        all.ControlPlane.Identifier.ShouldBe("mesh");

        _mesh.SetCluster("b", "changed");
        _mesh.Backend.Remove(TypeUrls.Cluster, "a");
        _mesh.SetCluster("c");
        _mesh.Push(TypeUrls.Cluster, "a", "b", "c");
        var changes = await peer.ReceiveAsync();
        NamesOf(changes).ShouldBe(["b", "c"]);
        changes.RemovedResources.ShouldBe(["a"]);
    }

    [Fact]
    public async Task The_wildcard_is_answered_even_when_there_is_nothing()
    {
        var peer = await _mesh.ConnectDeltaAsync();

        await peer.SubscribeAsync(TypeUrls.Listener, "*");

        (await peer.ReceiveAsync()).Resources.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_unknown_name_is_answered_as_removed_and_sent_when_it_appears()
    {
        var peer = await _mesh.ConnectDeltaAsync();
        await peer.SubscribeAsync(TypeUrls.Listener, "reviews:9080");
        var missing = await peer.ReceiveAndAckAsync();
        missing.Resources.ShouldBeEmpty();
        missing.RemovedResources.ShouldBe(["reviews:9080"]);

        _mesh.SetListener("other");
        _mesh.Push(TypeUrls.Listener);
        await ShouldHaveNothingDueAsync(peer);

        _mesh.SetListener("reviews:9080");
        _mesh.Push(TypeUrls.Listener, "reviews:9080");
        NamesOf(await peer.ReceiveAndAckAsync()).ShouldBe(["reviews:9080"]);

        _mesh.Backend.Remove(TypeUrls.Listener, "reviews:9080");
        _mesh.Push(TypeUrls.Listener, "reviews:9080");
        (await peer.ReceiveAsync()).RemovedResources.ShouldBe(["reviews:9080"]);
    }

    [Fact]
    public async Task A_push_for_some_nodes_makes_them_look_at_everything_and_the_others_at_nothing()
    {
        _mesh.SetCluster("a");
        _mesh.SetListener("a:80");
        var concerned = await _mesh.ConnectDeltaAsync();
        var other = await _mesh.ConnectDeltaAsync();
        foreach (var peer in new[] { concerned, other })
        {
            await peer.SubscribeAsync(TypeUrls.Cluster, "*");
            await peer.ReceiveAndAckAsync();
            await peer.SubscribeAsync(TypeUrls.Listener, "a:80");
            await peer.ReceiveAndAckAsync();
        }

        var first = _mesh.Backend.Views[0];
        _mesh.SetCluster("a", "changed");
        _mesh.Backend.Remove(TypeUrls.Listener, "a:80");
        _mesh.Server.Push(AdsChange.Nothing with { EverythingFor = view => ReferenceEquals(view, first) });

        NamesOf(await concerned.ReceiveAndAckAsync()).ShouldBe(["a"]);
        (await concerned.ReceiveAndAckAsync()).RemovedResources.ShouldBe(["a:80"]);
        await ShouldHaveNothingDueAsync(other);
    }

    [Fact]
    public async Task Versions_known_from_an_earlier_stream_are_not_sent_again()
    {
        _mesh.SetCluster("same");
        _mesh.SetCluster("changed", "old");
        _mesh.SetCluster("gone");
        var first = await _mesh.ConnectDeltaAsync();
        await first.SubscribeAsync(TypeUrls.Cluster, "*");
        var before = await first.ReceiveAndAckAsync();
        await first.DisposeAsync();
        _mesh.SetCluster("changed", "new");
        _mesh.Backend.Remove(TypeUrls.Cluster, "gone");
        _mesh.SetCluster("new");

        var second = await _mesh.ConnectDeltaAsync();
        await second.SendAsync(new DeltaDiscoveryRequest
        {
            TypeUrl = TypeUrls.Cluster,
            ResourceNamesSubscribe = { "*" },
            InitialResourceVersions = { before.Resources.ToDictionary(resource => resource.Name, resource => resource.Version) },
        });

        var after = await second.ReceiveAsync();
        NamesOf(after).ShouldBe(["changed", "new"]);
        after.RemovedResources.ShouldBe(["gone"]);
    }

    [Fact]
    public async Task Named_versions_known_from_an_earlier_stream_are_not_sent_again()
    {
        _mesh.SetRoute("same");
        var version = _mesh.Backend.VersionOf(TypeUrls.RouteConfiguration, "same");
        var peer = await _mesh.ConnectDeltaAsync();

        await peer.SendAsync(new DeltaDiscoveryRequest
        {
            TypeUrl = TypeUrls.RouteConfiguration,
            ResourceNamesSubscribe = { "same", "gone" },
            InitialResourceVersions = { ["same"] = version, ["gone"] = "1", ["not-subscribed"] = "1" },
        });

        var response = await peer.ReceiveAsync();
        response.Resources.ShouldBeEmpty();
        response.RemovedResources.ShouldBe(["gone"]);
    }

    [Fact]
    public async Task What_a_client_brought_along_is_not_replaced_by_what_a_starting_server_is_not_sure_of()
    {
        _mesh.SetEndpoints("reviews", weight: 3);
        var version = _mesh.Backend.VersionOf(TypeUrls.ClusterLoadAssignment, "reviews");
        Tentatively("reviews");
        Tentatively("ratings");
        var peer = await _mesh.ConnectDeltaAsync();

        await peer.SendAsync(new DeltaDiscoveryRequest
        {
            TypeUrl = TypeUrls.ClusterLoadAssignment,
            ResourceNamesSubscribe = { "reviews", "ratings" },
            InitialResourceVersions = { ["reviews"] = version },
        });

        // A client that has nothing takes what there is.
        NamesOf(await peer.ReceiveAndAckAsync()).ShouldBe(["ratings"]);

        // Once confirmed it is the server's to change, even tentatively.
        _mesh.SetEndpoints("reviews", weight: 3);
        _mesh.Push(TypeUrls.ClusterLoadAssignment, "reviews");
        await ShouldHaveNothingDueAsync(peer);
        Tentatively("reviews");
        _mesh.Push(TypeUrls.ClusterLoadAssignment, "reviews");
        NamesOf(await peer.ReceiveAndAckAsync()).ShouldBe(["reviews"]);

        void Tentatively(string name)
            => _mesh.Backend.Set(
                TypeUrls.ClusterLoadAssignment,
                new AdsResource(name, new Envoy.Config.Endpoint.V3.ClusterLoadAssignment { ClusterName = name }).AsTentative());
    }

    [Fact]
    public async Task A_name_that_is_subscribed_again_is_sent_again()
    {
        _mesh.SetRoute("a");
        _mesh.SetRoute("b");
        var peer = await _mesh.ConnectDeltaAsync();
        await peer.SubscribeAsync(TypeUrls.RouteConfiguration, "a", "b");
        await peer.ReceiveAndAckAsync();

        await peer.SubscribeAsync(TypeUrls.RouteConfiguration, "a");

        NamesOf(await peer.ReceiveAsync()).ShouldBe(["a"]);
    }

    [Fact]
    public async Task Changes_of_names_count_even_with_a_stale_nonce()
    {
        _mesh.SetRoute("a");
        _mesh.SetRoute("b");
        var peer = await _mesh.ConnectDeltaAsync();
        await peer.SubscribeAsync(TypeUrls.RouteConfiguration, "a");
        var first = await peer.ReceiveAndAckAsync();
        _mesh.SetRoute("a", "changed");
        _mesh.Push(TypeUrls.RouteConfiguration, "a");
        await peer.ReceiveAsync();

        await peer.SendAsync(new DeltaDiscoveryRequest
        {
            TypeUrl = TypeUrls.RouteConfiguration,
            ResponseNonce = first.Nonce,
            ResourceNamesSubscribe = { "b" },
        });

        NamesOf(await peer.ReceiveAsync()).ShouldBe(["b"]);
    }

    [Fact]
    public async Task Unsubscribed_names_are_sent_no_more()
    {
        _mesh.SetRoute("a");
        var peer = await _mesh.ConnectDeltaAsync();
        await peer.SubscribeAsync(TypeUrls.RouteConfiguration, "a");
        await peer.ReceiveAndAckAsync();

        await peer.UnsubscribeAsync(TypeUrls.RouteConfiguration, "a", "never-subscribed");

        // It has been read: what is answered next was asked for after it.
        _mesh.SetSecret("read");
        await peer.SubscribeAsync(TypeUrls.Secret, "read");
        NamesOf(await peer.ReceiveAndAckAsync()).ShouldBe(["read"]);
        _mesh.SetRoute("a", "changed");
        _mesh.Push(TypeUrls.RouteConfiguration);

        await ShouldHaveNothingDueAsync(peer);
    }

    [Fact]
    public async Task Giving_up_a_name_beside_the_wildcard_tells_what_the_wildcard_gives()
    {
        _mesh.SetCluster("everybodys");
        _mesh.SetCluster("on-demand");
        _mesh.Backend.OnDemand.Add("on-demand");
        var peer = await _mesh.ConnectDeltaAsync();
        await peer.SubscribeAsync(TypeUrls.Cluster, "*", "everybodys", "on-demand");
        NamesOf(await peer.ReceiveAndAckAsync()).ShouldBe(["everybodys", "on-demand"]);

        await peer.UnsubscribeAsync(TypeUrls.Cluster, "everybodys", "on-demand");

        var response = await peer.ReceiveAsync();
        NamesOf(response).ShouldBe(["everybodys"]);
        response.RemovedResources.ShouldBe(["on-demand"]);
    }

    [Fact]
    public async Task Giving_up_the_wildcard_leaves_the_names()
    {
        _mesh.SetCluster("a");
        _mesh.SetCluster("b");
        var peer = await _mesh.ConnectDeltaAsync();
        await peer.SubscribeAsync(TypeUrls.Cluster);
        await peer.ReceiveAndAckAsync();
        await peer.SubscribeAsync(TypeUrls.Cluster, "a");
        NamesOf(await peer.ReceiveAndAckAsync()).ShouldBe(["a"]);

        await peer.UnsubscribeAsync(TypeUrls.Cluster, "*");
        await ShouldHaveNothingDueAsync(peer);
        _mesh.SetCluster("a", "changed");
        _mesh.SetCluster("b", "changed");
        _mesh.Push(TypeUrls.Cluster);

        NamesOf(await peer.ReceiveAsync()).ShouldBe(["a"]);
    }

    [Fact]
    public async Task Refused_content_is_not_sent_again_until_it_changes()
    {
        _mesh.SetCluster("a");
        _mesh.SetCluster("b");
        var peer = await _mesh.ConnectDeltaAsync();
        await peer.SubscribeAsync(TypeUrls.Cluster);
        await peer.NackAsync(await peer.ReceiveAsync(), "a: no");
        _mesh.PushAll();
        await ShouldHaveNothingDueAsync(peer);
        _mesh.Server.Connections[0].Types.Single(type => type.TypeUrl == TypeUrls.Cluster).LastNack.ShouldBe("a: no");

        _mesh.SetCluster("a", "better");
        _mesh.PushAll();

        NamesOf(await peer.ReceiveAsync()).ShouldBe(["a"]);
    }

    [Fact]
    public async Task A_large_answer_comes_in_parts_that_each_fit()
    {
        for (var i = 0; i < 20; i++)
        {
            _mesh.SetCluster($"c{i:00}", new string('x', 1_000));
        }

        var peer = await _mesh.ConnectDeltaAsync();
        await peer.SubscribeAsync(TypeUrls.Cluster);

        var names = new List<string>();
        while (names.Count < 20)
        {
            var part = await peer.ReceiveAndAckAsync();
            part.CalculateSize().ShouldBeLessThan(5_000);
            names.AddRange(NamesOf(part));
        }

        names.ShouldBe(Enumerable.Range(0, 20).Select(i => $"c{i:00}"));
        await ShouldHaveNothingDueAsync(peer);
    }

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    // What was sent before the probe has been taken in when the probe is answered.
    private async Task ShouldHaveNothingDueAsync(DeltaPeer peer)
    {
        _mesh.SetSecret("probe");
        await peer.SubscribeAsync(TypeUrls.Secret, "probe");
        (await peer.ReceiveAsync()).TypeUrl.ShouldBe(TypeUrls.Secret);
    }
}
