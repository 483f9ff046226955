using Mesh.Xds.Ads;

namespace Mesh.Xds.Tests.Serving;

/// <summary>When a push counts as having reached everybody.</summary>
public sealed class AcknowledgementTests : IAsyncDisposable
{
    private readonly AdsServerFixture _mesh = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_push_is_acknowledged_when_every_subscriber_has_answered(bool ack)
    {
        var (one, two) = (await SubscribedAsync("a"), await SubscribedAsync("a"));
        _mesh.SetEndpoints("a", 2);

        var acknowledged = _mesh.Server.WhenAcknowledgedAsync(_mesh.Push(TypeUrls.ClusterLoadAssignment, "a"), CancellationToken.None);
        await one.ReceiveAndAckAsync();
        var last = await two.ReceiveAsync();
        acknowledged.IsCompleted.ShouldBeFalse();
        await (ack ? two.AckAsync(last) : two.NackAsync(last, "no"));

        await acknowledged.Guarded();
    }

    [Fact]
    public async Task Streams_that_subscribe_to_nothing_of_it_are_done_at_once()
    {
        await SubscribedAsync("other");
        await _mesh.ConnectAsync();
        _mesh.SetEndpoints("a", 2);

        await _mesh.Server.WhenAcknowledgedAsync(_mesh.Push(TypeUrls.ClusterLoadAssignment, "a"), CancellationToken.None).Guarded();
    }

    [Fact]
    public async Task A_stream_that_goes_away_is_done()
    {
        var peer = await SubscribedAsync("a");
        _mesh.SetEndpoints("a", 2);
        var acknowledged = _mesh.Server.WhenAcknowledgedAsync(_mesh.Push(TypeUrls.ClusterLoadAssignment, "a"), CancellationToken.None);
        await peer.ReceiveAsync();
        acknowledged.IsCompleted.ShouldBeFalse();

        await peer.DisposeAsync();

        await acknowledged.Guarded();
    }

    [Fact]
    public async Task What_a_client_asks_for_before_it_answers_belongs_to_the_push()
    {
        _mesh.SetRoute("r");
        _mesh.SetCluster("new");
        var peer = await _mesh.ConnectDeltaAsync();
        await peer.SubscribeAsync(TypeUrls.RouteConfiguration, "r");
        await peer.ReceiveAndAckAsync();
        _mesh.SetRoute("r", "to the new cluster");

        var acknowledged = _mesh.Server.WhenAcknowledgedAsync(_mesh.Push(TypeUrls.RouteConfiguration, "r"), CancellationToken.None);
        var route = await peer.ReceiveAsync();
        await peer.SubscribeAsync(TypeUrls.Cluster, "new");
        await peer.AckAsync(route);
        var cluster = await peer.ReceiveAsync();
        acknowledged.IsCompleted.ShouldBeFalse();

        await peer.SubscribeAsync(TypeUrls.ClusterLoadAssignment, "new");
        await peer.AckAsync(cluster);
        var endpoints = await peer.ReceiveAsync();
        endpoints.RemovedResources.ShouldBe(["new"]);
        acknowledged.IsCompleted.ShouldBeFalse();

        await peer.AckAsync(endpoints);
        await acknowledged.Guarded();
    }

    [Fact]
    public async Task Later_pushes_do_not_hold_an_earlier_one_back()
    {
        var peer = await SubscribedAsync("a");
        _mesh.SetEndpoints("a", 2);
        var first = _mesh.Server.WhenAcknowledgedAsync(_mesh.Push(TypeUrls.ClusterLoadAssignment, "a"), CancellationToken.None);
        var answerToFirst = await peer.ReceiveAsync();
        _mesh.SetEndpoints("a", 3);
        var second = _mesh.Server.WhenAcknowledgedAsync(_mesh.Push(TypeUrls.ClusterLoadAssignment, "a"), CancellationToken.None);
        var answerToSecond = await peer.ReceiveAsync();

        await peer.AckAsync(answerToFirst);
        await first.Guarded();
        second.IsCompleted.ShouldBeFalse();

        await peer.AckAsync(answerToSecond);
        await second.Guarded();
    }

    [Fact]
    public async Task Waiting_can_be_given_up()
    {
        var peer = await SubscribedAsync("a");
        _mesh.SetEndpoints("a", 2);
        using var source = new CancellationTokenSource();
        var acknowledged = _mesh.Server.WhenAcknowledgedAsync(_mesh.Push(TypeUrls.ClusterLoadAssignment, "a"), source.Token);
        await peer.ReceiveAsync();

        await source.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => acknowledged.Guarded());
    }

    public ValueTask DisposeAsync() => _mesh.DisposeAsync();

    private async Task<DeltaPeer> SubscribedAsync(string name)
    {
        _mesh.SetEndpoints(name);
        var peer = await _mesh.ConnectDeltaAsync();
        await peer.SubscribeAsync(TypeUrls.ClusterLoadAssignment, name);
        await peer.ReceiveAndAckAsync();
        return peer;
    }
}
