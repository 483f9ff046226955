using Envoy.Config.Cluster.V3;
using Mesh.Xds.Ads;
using Mesh.Xds.Grpc;
using Mesh.Xds.Serving;

namespace Mesh.Xds.Tests.Serving;

public sealed class LimitTests
{
    [Fact]
    public async Task Subscribing_to_too_much_ends_the_stream()
    {
        await using var mesh = new AdsServerFixture(new AdsServerLimits { MaxSubscribedNames = 3 });
        var peer = await mesh.ConnectDeltaAsync();
        await peer.SubscribeAsync(TypeUrls.Listener, "a", "b");
        await peer.ReceiveAndAckAsync();
        await peer.UnsubscribeAsync(TypeUrls.Listener, "a");
        await peer.SubscribeAsync(TypeUrls.Cluster, "c", "d");
        await peer.ReceiveAndAckAsync();

        await peer.SubscribeAsync(TypeUrls.RouteConfiguration, "e");

        var exception = await Should.ThrowAsync<RpcException>(peer.ReceiveAsync);
        exception.StatusCode.ShouldBe(StatusCode.ResourceExhausted);
        exception.Detail.ShouldContain("3 resource names");
    }

    [Fact]
    public async Task Names_that_are_too_long_together_end_the_stream()
    {
        await using var mesh = new AdsServerFixture(new AdsServerLimits { MaxSubscribedCharacters = 100 });
        var peer = await mesh.ConnectAsync();

        await peer.SubscribeAsync(TypeUrls.Listener, "", new string('a', 60), new string('b', 60));

        (await Should.ThrowAsync<RpcException>(peer.ReceiveAsync)).StatusCode.ShouldBe(StatusCode.ResourceExhausted);
    }

    [Fact]
    public async Task A_request_that_is_too_large_ends_the_stream()
    {
        await using var mesh = new AdsServerFixture(new AdsServerLimits { MaxRequestBytes = 1_000 });
        var peer = await mesh.ConnectAsync();

        await peer.SubscribeAsync(TypeUrls.Listener, "", new string('a', 1_000));

        var exception = await Should.ThrowAsync<RpcException>(peer.ReceiveAsync);
        exception.StatusCode.ShouldBe(StatusCode.ResourceExhausted);
        exception.Detail.ShouldContain("1000 bytes");
    }

    [Fact]
    public async Task A_client_that_does_not_read_gets_the_newest_state_and_not_every_one_in_between()
    {
        await using var mesh = new AdsServerFixture();
        mesh.SetCluster("a", "0");
        var slow = await mesh.ConnectDeltaAsync();
        var quick = await mesh.ConnectDeltaAsync();
        await slow.SubscribeAsync(TypeUrls.Cluster);
        await slow.ReceiveAndAckAsync();
        await quick.SubscribeAsync(TypeUrls.Cluster);
        await quick.ReceiveAndAckAsync();

        for (var i = 1; i <= 500; i++)
        {
            mesh.SetCluster("a", $"{i}");
            mesh.Push(TypeUrls.Cluster, "a");
            await quick.ReceiveAndAckAsync();
        }

        // What fits the stream's window waits there; of all the rest only the last is left.
        var received = new List<string>();
        do
        {
            var response = await slow.ReceiveAndAckAsync();
            received.Add(response.Resources[0].Resource_.Unpack<Cluster>().AltStatName);
        }
        while (received[^1] != "500");

        received.Count.ShouldBeLessThan(20);
    }

    [Fact]
    public async Task The_end_of_a_stream_releases_the_view_of_its_node()
    {
        await using var mesh = new AdsServerFixture();
        var peer = await mesh.ConnectAsync();
        await peer.SubscribeAsync(TypeUrls.Cluster, "");
        await peer.ReceiveAndAckAsync();
        mesh.Backend.OpenViews.ShouldBe(1);

        await peer.DisposeAsync();
        (await Should.ThrowAsync<RpcException>(peer.ReceiveAsync)).StatusCode.ShouldBe(StatusCode.Unavailable);

        mesh.Backend.OpenViews.ShouldBe(0);
        mesh.Server.Connections.ShouldBeEmpty();
    }
}
