using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;
using Mesh.Xds.Grpc;

namespace Mesh.Xds.Tests.Client;

/// <summary>The state-of-the-world variant (xDS protocol, "Basic Protocol Overview").</summary>
public sealed class XdsClientSotwTests : XdsClientFixture
{
    [Fact]
    public async Task A_server_without_delta_is_spoken_to_in_state_of_the_world_at_once()
    {
        var watcher = new RecordingWatcher();
        Client.Watch(TestResourceType.Cluster, "a", watcher);
        (await Server.AcceptDeltaAsync()).Fail(StatusCode.Unimplemented, "unknown method");
        var stream = await Server.AcceptSotwAsync();
        var request = await stream.NextAsync();
        request.ResourceNames.ShouldBe(["a"]);
        request.Node.ShouldNotBeNull();
        watcher.IsQuiet.ShouldBeTrue();
    }

    [Fact]
    public async Task The_version_advances_on_ACK_only_and_the_nonce_always_per_xDS_protocol()
    {
        var (watcher, stream) = await WatchAsync("a");
        stream.Send(Sotw("v1", "n1", Cluster("a")));
        await watcher.NextAsync();
        var ack = await stream.NextAsync();
        (ack.VersionInfo, ack.ResponseNonce).ShouldBe(("v1", "n1"));
        stream.Send(Sotw("v2", "n2", Cluster("a", "bad")));
        var nack = await stream.NextAsync();
        (nack.VersionInfo, nack.ResponseNonce).ShouldBe(("v1", "n2"));
        nack.ErrorDetail.Message.ShouldBe("Cluster a: alt_stat_name: is bad");
        nack.ResourceNames.ShouldBe(["a"]);
        Client.Watch(TestResourceType.Cluster, "b", new RecordingWatcher());
        var more = await stream.NextAsync();
        (more.VersionInfo, more.ResponseNonce).ShouldBe(("v1", "n2"));
        more.ResourceNames.ShouldBe(["a", "b"]);
        more.ErrorDetail.ShouldBeNull();
    }

    [Fact]
    public async Task A_refused_first_response_is_answered_with_no_version_per_xDS_protocol()
    {
        var (_, stream) = await WatchAsync("a");
        stream.Send(Sotw("v1", "n1", Cluster("a", "bad")));
        (await stream.NextAsync()).VersionInfo.ShouldBe("");
    }

    [Fact]
    public async Task A_cached_cluster_missing_from_a_full_list_is_deleted_and_one_never_received_is_not_per_xDS_protocol()
    {
        var (a, stream) = await WatchAsync("a");
        var b = new RecordingWatcher();
        Client.Watch(TestResourceType.Cluster, "b", b);
        await stream.NextAsync();
        stream.Send(Sotw("v1", "n1", Cluster("a")));
        await a.NextAsync();
        await stream.NextAsync();
        b.IsQuiet.ShouldBeTrue();
        stream.Send(Sotw("v2", "n2"));
        (await a.NextAsync()).ShouldStartWith("a error DoesNotExist");
        await stream.NextAsync();
        b.IsQuiet.ShouldBeTrue();
    }

    [Fact]
    public async Task Nothing_counts_as_deleted_when_a_resource_cannot_even_be_named()
    {
        var (a, stream) = await WatchAsync("a");
        stream.Send(Sotw("v1", "n1", Cluster("a")));
        await a.NextAsync();
        await stream.NextAsync();
        var garbage = Cluster("a");
        garbage.Value = ByteString.CopyFrom(0x0a, 0x7f);
        stream.Send(Sotw("v2", "n2", garbage));
        (await stream.NextAsync()).ErrorDetail.Message.ShouldStartWith("Cluster resources[0]: resource:");
        a.IsQuiet.ShouldBeTrue();
    }

    [Fact]
    public async Task Absent_endpoints_say_nothing_per_xDS_protocol()
    {
        var watcher = new RecordingWatcher();
        await UseAsync(delta: false);
        Client.Watch(TestResourceType.Endpoints, "e", watcher);
        var stream = await Server.AcceptSotwAsync();
        await stream.NextAsync();
        stream.Send(new DiscoveryResponse { TypeUrl = TypeUrls.ClusterLoadAssignment, VersionInfo = "1", Nonce = "1", Resources = { Endpoints("e") } });
        await watcher.NextAsync();
        await stream.NextAsync();
        stream.Send(new DiscoveryResponse { TypeUrl = TypeUrls.ClusterLoadAssignment, VersionInfo = "2", Nonce = "2" });
        await stream.NextAsync();
        watcher.IsQuiet.ShouldBeTrue();
    }

    [Fact]
    public async Task Reconnecting_keeps_the_version_and_forgets_the_nonce_per_xDS_protocol()
    {
        var (watcher, stream) = await WatchAsync("a");
        stream.Send(Sotw("v1", "n1", Cluster("a")));
        await watcher.NextAsync();
        await stream.NextAsync();
        stream.End();
        var again = await Server.AcceptSotwAsync();
        var request = await again.NextAsync();
        (request.VersionInfo, request.ResponseNonce).ShouldBe(("v1", ""));
        request.ResourceNames.ShouldBe(["a"]);
        request.Node.ShouldNotBeNull();
    }

    [Fact]
    public async Task An_empty_list_is_the_wildcard_only_while_no_name_was_ever_sent_per_xDS_protocol()
    {
        await UseAsync(delta: false);
        var all = Client.Watch(TestResourceType.Cluster, "*", new RecordingWatcher());
        Client.Watch(TestResourceType.Endpoints, "keeps-the-stream", new RecordingWatcher());
        var stream = await Server.AcceptSotwAsync();
        (await NextOfAsync(stream, TypeUrls.Cluster)).ResourceNames.ShouldBeEmpty();
        var a = Client.Watch(TestResourceType.Cluster, "a", new RecordingWatcher());
        (await NextOfAsync(stream, TypeUrls.Cluster)).ResourceNames.ShouldBe(["*", "a"]);
        a.Dispose();
        (await NextOfAsync(stream, TypeUrls.Cluster)).ResourceNames.ShouldBe(["*"]);
        all.Dispose();
        (await NextOfAsync(stream, TypeUrls.Cluster)).ResourceNames.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_resource_may_come_wrapped_with_a_time_to_live_per_xDS_protocol()
    {
        var (watcher, stream) = await WatchAsync("a");
        stream.Send(Sotw("v1", "n1", Google.Protobuf.WellKnownTypes.Any.Pack(Wrapped("a", "v1", Cluster("a"), TimeSpan.FromSeconds(5)))));
        (await watcher.NextAsync()).ShouldBe("a=1 @v1");
        await stream.NextAsync();
        Clock.Advance(TimeSpan.FromSeconds(5));
        (await watcher.NextAsync()).ShouldStartWith("a error DoesNotExist");
    }

    [Fact]
    public async Task A_watch_renewed_before_the_server_was_told_finds_the_cached_resource()
    {
        var (watcher, stream) = await WatchAsync("a");
        var b = Client.Watch(TestResourceType.Cluster, "b", watcher);
        await stream.NextAsync();
        stream.Send(Sotw("v1", "n1", Cluster("a"), Cluster("b")));
        await watcher.NextAsync();
        (await watcher.NextAsync()).ShouldBe("b=1 @v1");
        await stream.NextAsync();

        // Both in one callback, so that nothing can be written between them: the server would see no change and send nothing.
        var again = new RecordingWatcher();
        Client.Watch(TestResourceType.Cluster, "a", new RecordingWatcher
        {
            Then = _ =>
            {
                b.Dispose();
                Client.Watch(TestResourceType.Cluster, "b", again);
            },
        });
        (await again.NextAsync()).ShouldBe("b=1 @v1");
    }

    private static async Task<DiscoveryRequest> NextOfAsync(ScriptedAdsCall<DiscoveryRequest, DiscoveryResponse> stream, string typeUrl)
    {
        while (true)
        {
            var request = await stream.NextAsync();
            if (request.TypeUrl == typeUrl)
            {
                return request;
            }
        }
    }

    private async Task<(RecordingWatcher Watcher, ScriptedAdsCall<DiscoveryRequest, DiscoveryResponse> Stream)> WatchAsync(string name)
    {
        await UseAsync(delta: false);
        var watcher = new RecordingWatcher();
        Client.Watch(TestResourceType.Cluster, name, watcher);
        var stream = await Server.AcceptSotwAsync();
        await stream.NextAsync();
        return (watcher, stream);
    }
}
