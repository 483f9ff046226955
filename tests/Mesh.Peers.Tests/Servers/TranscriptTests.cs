using Envoy.Service.Discovery.V3;
using Mesh.Xds.Grpc;
using static Mesh.Peers.Tests.Servers.ForeignServerFixture;

namespace Mesh.Peers.Tests.Servers;

/// <summary>Foreign ADS servers play transcripts to our client; what it says in between is held against the protocol.</summary>
[Trait("Category", "Peers")]
public sealed class TranscriptTests
{
    [PeerFact("C-core")]
    public Task The_state_of_the_world_from_C_core() => SotwAsync(Peer.Python);

    [PeerFact("grpc-js")]
    public Task The_state_of_the_world_from_grpc_js() => SotwAsync(Peer.Node);

    [PeerFact("C-core")]
    public Task Changes_from_C_core() => DeltaAsync(Peer.Python);

    [PeerFact("grpc-js")]
    public Task Changes_from_grpc_js() => DeltaAsync(Peer.Node);

    [PeerFact("C-core")]
    public Task More_than_four_megabytes_from_C_core() => LargeAsync(Peer.Python);

    [PeerFact("grpc-js")]
    public Task More_than_four_megabytes_from_grpc_js() => LargeAsync(Peer.Node);

    [PeerFact("grpc-js")]
    public async Task A_goaway_in_mid_response_lets_the_response_finish_and_the_next_stream_goes_elsewhere()
    {
        await using var mesh = await StartAsync(Peer.Node, delta: false, "http2_ads_server");
        var stream = await mesh.Server.AcceptAsync();
        await ReceiveSubscriptionAsync(stream);

        await stream.SendHalfAsync(Sotw("1", "n1", ("a", "1"), ("b", "1")));
        await stream.GoAwayAsync();
        await stream.SendRestAsync();

        (await mesh.A.NextAsync()).ShouldBe(("changed", "1"));
        (await stream.ReceiveAsync(DiscoveryRequest.Parser)).ResponseNonce.ShouldBe("n1");

        await stream.CloseAsync(StatusCode.Unavailable);
        var next = await mesh.Server.AcceptAsync();
        var again = await ReceiveSubscriptionAsync(next);
        again[0].VersionInfo.ShouldBe("1");
        again[0].ResponseNonce.ShouldBeEmpty();
    }

    [PeerFact("grpc-js")]
    public async Task A_connection_torn_in_mid_response_delivers_nothing_of_it_and_is_made_anew()
    {
        await using var mesh = await StartAsync(Peer.Node, delta: true, "http2_ads_server");
        var stream = await mesh.Server.AcceptAsync();
        await ReceiveDeltaSubscriptionAsync(stream);
        await stream.SendAsync(Delta("n1", [], ("a", "1"), ("b", "1")));
        (await mesh.A.NextAsync()).ShouldBe(("changed", "1"));
        (await mesh.B.NextAsync()).ShouldBe(("changed", "1"));
        (await stream.ReceiveAsync(DeltaDiscoveryRequest.Parser)).ResponseNonce.ShouldBe("n1");

        await stream.SendHalfAsync(Delta("n2", [], ("a", "half")));
        await stream.TearAsync();

        var next = await mesh.Server.AcceptAsync();
        var again = await ReceiveDeltaSubscriptionAsync(next);
        again[0].InitialResourceVersions.ShouldBe(new Dictionary<string, string> { ["a"] = "version-1", ["b"] = "version-1" }, ignoreOrder: true);
        await next.SendAsync(Delta("n1", [], ("a", "whole")));
        (await mesh.A.NextAsync()).ShouldBe(("changed", "whole"));
    }

    [PeerFact("C-core")]
    public async Task A_client_ends_at_once_while_the_server_has_not_answered_at_all()
    {
        var mesh = await StartAsync(Peer.Python, delta: false);
        await ReceiveSubscriptionAsync(await mesh.Server.AcceptAsync());

        await mesh.DisposeAsync();
    }

    private static async Task SotwAsync(Peer peer)
    {
        await using var mesh = await StartAsync(peer, delta: false);
        var stream = await mesh.Server.AcceptAsync();
        stream.Path.ShouldEndWith("/StreamAggregatedResources");
        var first = await ReceiveSubscriptionAsync(stream);
        first.ShouldAllBe(request => request.VersionInfo == "" && request.ResponseNonce == "");

        // 1. One bad resource: refused by name with the version before, and the good one applies.
        await stream.SendAsync(Sotw("1", "n1", ("a", "1"), ("b", "bad")));
        (await mesh.A.NextAsync()).ShouldBe(("changed", "1"));
        var refused = await mesh.B.NextAsync();
        refused.What.ShouldBe("error Invalid");
        var nack = await stream.ReceiveAsync(DiscoveryRequest.Parser);
        (nack.VersionInfo, nack.ResponseNonce).ShouldBe(("", "n1"));
        nack.ResourceNames.ShouldBe(["a", "b"], ignoreOrder: true);
        nack.ErrorDetail.Message.ShouldContain("b");
        nack.ErrorDetail.Message.ShouldContain("alt_stat_name");

        // 2. A type that was never asked for is not answered; the next answer is that to what follows.
        await stream.SendAsync(new DiscoveryResponse { TypeUrl = "type.googleapis.com/who.knows.v3.Thing", VersionInfo = "9", Nonce = "n9" });
        await stream.SendAsync(Sotw("2", "n2", ("a", "2"), ("b", "2"), ("not-asked-for", "2")));
        (await mesh.A.NextAsync()).ShouldBe(("changed", "2"));
        (await mesh.B.NextAsync()).ShouldBe(("changed", "2"));
        await ShouldAckAsync("2", "n2");

        // 3. A nonce that repeats is echoed all the same; what is missing has been removed.
        await stream.SendAsync(Sotw("3", "n2", ("a", "2")));
        (await mesh.B.NextAsync()).What.ShouldBe("error DoesNotExist");
        await ShouldAckAsync("3", "n2");

        // 4. A name that comes twice is refused.
        await stream.SendAsync(Sotw("4", "n4", ("a", "2"), ("a", "2")));
        var twice = await stream.ReceiveAsync(DiscoveryRequest.Parser);
        (twice.VersionInfo, twice.ResponseNonce).ShouldBe(("3", "n4"));
        twice.ErrorDetail.ShouldNotBeNull();

        // 5. A new stream: all names and the version again, the nonce is forgotten.
        await stream.CloseAsync(StatusCode.Unavailable);
        var next = await mesh.Server.AcceptAsync();
        var again = await ReceiveSubscriptionAsync(next);
        (again[0].VersionInfo, again[0].ResponseNonce).ShouldBe(("3", ""));
        await next.SendAsync(Sotw("5", "n1", ("a", "5"), ("b", "5")));
        (await mesh.A.NextAsync()).ShouldBe(("changed", "5"));
        (await mesh.B.NextAsync()).ShouldBe(("changed", "5"));
        (await next.ReceiveAsync(DiscoveryRequest.Parser)).VersionInfo.ShouldBe("5");

        async Task ShouldAckAsync(string version, string nonce)
        {
            var ack = await stream.ReceiveAsync(DiscoveryRequest.Parser);
            (ack.VersionInfo, ack.ResponseNonce).ShouldBe((version, nonce));
            ack.ErrorDetail.ShouldBeNull();
            ack.ResourceNames.ShouldBe(["a", "b"], ignoreOrder: true);
        }
    }

    private static async Task DeltaAsync(Peer peer)
    {
        await using var mesh = await StartAsync(peer, delta: true);
        var stream = await mesh.Server.AcceptAsync();
        stream.Path.ShouldEndWith("/DeltaAggregatedResources");
        (await ReceiveDeltaSubscriptionAsync(stream)).ShouldAllBe(request => request.ResponseNonce == "");

        // 1. One bad resource: refused by name, and the good one applies.
        await stream.SendAsync(Delta("n1", [], ("a", "1"), ("b", "bad")));
        (await mesh.A.NextAsync()).ShouldBe(("changed", "1"));
        (await mesh.B.NextAsync()).What.ShouldBe("error Invalid");
        var nack = await stream.ReceiveAsync(DeltaDiscoveryRequest.Parser);
        nack.ResponseNonce.ShouldBe("n1");
        nack.ErrorDetail.Message.ShouldContain("alt_stat_name");

        // 2. Better, and then gone.
        await stream.SendAsync(Delta("n2", [], ("b", "2")));
        (await mesh.B.NextAsync()).ShouldBe(("changed", "2"));
        await ShouldAckAsync("n2");
        await stream.SendAsync(Delta("n2", ["b"]));
        (await mesh.B.NextAsync()).What.ShouldBe("error DoesNotExist");
        await ShouldAckAsync("n2");

        // 3. A new stream: all names again, and what is known of them.
        await stream.CloseAsync(StatusCode.Unavailable);
        var next = await mesh.Server.AcceptAsync();
        var again = await ReceiveDeltaSubscriptionAsync(next);
        again[0].ResponseNonce.ShouldBeEmpty();
        again[0].InitialResourceVersions.ShouldBe(new Dictionary<string, string> { ["a"] = "version-1" });
        await next.SendAsync(Delta("n1", ["b"]));
        (await next.ReceiveAsync(DeltaDiscoveryRequest.Parser)).ResponseNonce.ShouldBe("n1");

        async Task ShouldAckAsync(string nonce)
        {
            var ack = await stream.ReceiveAsync(DeltaDiscoveryRequest.Parser);
            ack.ResponseNonce.ShouldBe(nonce);
            ack.ErrorDetail.ShouldBeNull();
            ack.ResourceNamesSubscribe.ShouldBeEmpty();
        }
    }

    private static async Task LargeAsync(Peer peer)
    {
        const int size = 4_500_000;
        await using var mesh = await StartAsync(peer, delta: false);
        var stream = await mesh.Server.AcceptAsync();
        await ReceiveSubscriptionAsync(stream);

        await stream.SendAsync(Sotw("1", "n1", ("a", new string('x', size)), ("b", "1")));

        (await mesh.A.NextAsync()).Text.Length.ShouldBe(size);
        (await stream.ReceiveAsync(DiscoveryRequest.Parser)).VersionInfo.ShouldBe("1");
    }
}
