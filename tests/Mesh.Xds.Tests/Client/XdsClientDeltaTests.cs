using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;
using Mesh.Xds.Grpc;

namespace Mesh.Xds.Tests.Client;

/// <summary>The incremental variant (xDS protocol, "Incremental xDS").</summary>
public sealed class XdsClientDeltaTests : XdsClientFixture
{
    [Fact]
    public async Task Only_the_first_request_of_a_stream_carries_the_node_per_xDS_protocol()
    {
        Client.Watch(TestResourceType.Cluster, "a", new RecordingWatcher());
        var stream = await Server.AcceptDeltaAsync();
        var first = await stream.NextAsync();
        first.Node.Id.ShouldBe("node");
        first.TypeUrl.ShouldBe(TypeUrls.Cluster);
        first.ResourceNamesSubscribe.ShouldBe(["a"]);
        first.ResponseNonce.ShouldBe("");

        Client.Watch(TestResourceType.Cluster, "b", new RecordingWatcher());
        var second = await stream.NextAsync();
        second.Node.ShouldBeNull();
        second.ResourceNamesSubscribe.ShouldBe(["b"]);
        second.ResponseNonce.ShouldBe("", "a spontaneous request answers nothing");
    }

    [Fact]
    public async Task A_good_response_is_acknowledged_with_its_nonce_per_xDS_protocol()
    {
        var (watcher, stream) = await WatchAsync("a");
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        (await watcher.NextAsync()).ShouldBe("a=1 @v1");
        var ack = await stream.NextAsync();
        ack.ResponseNonce.ShouldBe("n1");
        ack.ErrorDetail.ShouldBeNull();
        ack.ResourceNamesSubscribe.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_valid_resources_beside_a_bad_one_apply_and_the_NACK_names_each_bad_one_per_gRFC_A46()
    {
        var (a, stream) = await WatchAsync("a");
        var b = await WatchMoreAsync(stream, "b");
        var c = await WatchMoreAsync(stream, "c");
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a", "bad")), Wrapped("b", "v1", Cluster("b")), Wrapped("c", "v1", Cluster("c", "bad"))));

        (await b.NextAsync()).ShouldBe("b=1 @v1");
        (await a.NextAsync()).ShouldBe("a error Invalid: Cluster a: alt_stat_name: is bad");
        (await c.NextAsync()).ShouldStartWith("c error Invalid");
        var nack = await stream.NextAsync();
        nack.ResponseNonce.ShouldBe("n1");
        nack.ErrorDetail.Code.ShouldBe(3);
        nack.ErrorDetail.Message.ShouldBe("Cluster a: alt_stat_name: is bad; Cluster c: alt_stat_name: is bad");
        State("a").ShouldBe("NACKED");
    }

    [Fact]
    public async Task A_bad_update_leaves_the_last_good_one_in_use_as_an_ambient_error_per_gRFC_A88()
    {
        var (watcher, stream) = await WatchAsync("a");
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        await watcher.NextAsync();
        await stream.NextAsync();
        stream.Send(Delta("n2", Wrapped("a", "v2", Cluster("a", "bad"))));
        (await watcher.NextAsync()).ShouldStartWith("a ambient Invalid");
        await stream.NextAsync();

        // The same error again is not told again; a new watcher gets the resource, then the error; the good one back clears it.
        stream.Send(Delta("n3", Wrapped("a", "v2", Cluster("a", "bad"))));
        await stream.NextAsync();
        var late = new RecordingWatcher();
        Client.Watch(TestResourceType.Cluster, "a", late);
        (await late.NextAsync()).ShouldBe("a=1 @v1");
        (await late.NextAsync()).ShouldStartWith("a ambient Invalid");
        watcher.IsQuiet.ShouldBeTrue();
        stream.Send(Delta("n4", Wrapped("a", "v3", Cluster("a"))));
        (await watcher.NextAsync()).ShouldBe("a=1 @v3");
    }

    [Fact]
    public async Task An_unchanged_resource_is_not_delivered_again_per_gRFC_A88()
    {
        var (watcher, stream) = await WatchAsync("a");
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        await watcher.NextAsync();
        await stream.NextAsync();
        stream.Send(Delta("n2", Wrapped("a", "v2", Cluster("a"))));
        (await stream.NextAsync()).ResponseNonce.ShouldBe("n2");
        watcher.IsQuiet.ShouldBeTrue();
    }

    [Fact]
    public async Task With_fail_on_data_errors_a_bad_update_drops_the_cached_resource_per_gRFC_A88()
    {
        await UseAsync(features: XdsServerFeatures.FailOnDataErrors);
        var (watcher, stream) = await WatchAsync("a");
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        await watcher.NextAsync();
        stream.Send(Delta("n2", Wrapped("a", "v2", Cluster("a", "bad"))));
        (await watcher.NextAsync()).ShouldStartWith("a error Invalid");
    }

    [Fact]
    public async Task A_resource_that_comes_twice_in_one_response_is_refused_per_xDS_protocol()
    {
        var (watcher, stream) = await WatchAsync("a");
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a")), Wrapped("a", "v1", Cluster("a", "2"))));
        (await watcher.NextAsync()).ShouldBe("a=1 @v1");
        (await stream.NextAsync()).ErrorDetail.Message.ShouldContain("twice");
    }

    [Fact]
    public async Task Resources_that_nobody_asked_for_are_acknowledged_and_not_kept_per_xDS_protocol()
    {
        var (watcher, stream) = await WatchAsync("a");
        stream.Send(Delta("n1", Wrapped("x", "v1", Cluster("x", "bad")), Wrapped("a", "v1", Cluster("a"))));
        (await watcher.NextAsync()).ShouldBe("a=1 @v1");
        (await stream.NextAsync()).ErrorDetail.ShouldBeNull();
        Client.Status.Resources.Select(r => r.Name).ShouldBe(["a"]);
    }

    [Fact]
    public async Task An_unknown_type_is_neither_acknowledged_nor_refused_per_xDS_protocol()
    {
        var (watcher, stream) = await WatchAsync("a");
        stream.Send(new DeltaDiscoveryResponse { TypeUrl = TypeUrls.Prefix + "example.Unknown", Nonce = "u" });
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        await watcher.NextAsync();
        (await stream.NextAsync()).ResponseNonce.ShouldBe("n1");
    }

    [Fact]
    public async Task A_truncated_body_a_wrong_type_and_a_wrong_name_are_refused()
    {
        var (watcher, stream) = await WatchAsync("a");
        var b = await WatchMoreAsync(stream, "b");
        var c = await WatchMoreAsync(stream, "c");
        var truncated = Cluster("a");
        truncated.Value = ByteString.CopyFrom(truncated.Value.Span[..^1]);
        stream.Send(Delta("n1", Wrapped("a", "v1", truncated), Wrapped("b", "v1", Endpoints("b")), Wrapped("c", "v1", Cluster("d"))));
        (await watcher.NextAsync()).ShouldStartWith("a error Invalid");
        (await b.NextAsync()).ShouldStartWith("b error Invalid");
        (await c.NextAsync()).ShouldStartWith("c error Invalid");
        var message = (await stream.NextAsync()).ErrorDetail.Message;
        message.ShouldContain("Cluster a: resource:");
        message.ShouldContain("Cluster b: @type:");
        message.ShouldContain("Cluster c: name: the resource calls itself 'd'");
    }

    [Fact]
    public async Task Removed_resources_do_not_exist_whether_they_were_cached_or_not_per_xDS_protocol()
    {
        var (a, stream) = await WatchAsync("a");
        var b = await WatchMoreAsync(stream, "b");
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        await a.NextAsync();
        var removal = Delta("n2");
        removal.RemovedResources.Add(["a", "b"]);
        stream.Send(removal);
        (await a.NextAsync()).ShouldStartWith("a error DoesNotExist");
        (await b.NextAsync()).ShouldStartWith("b error DoesNotExist");
        State("a").ShouldBe("DOES_NOT_EXIST");
    }

    [Fact]
    public async Task With_ignore_resource_deletion_a_removed_resource_stays_in_use_per_gRFC_A53()
    {
        await UseAsync(features: XdsServerFeatures.IgnoreResourceDeletion);
        var (watcher, stream) = await WatchAsync("a");
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        await watcher.NextAsync();
        var removal = Delta("n2");
        removal.RemovedResources.Add("a");
        stream.Send(removal);
        (await watcher.NextAsync()).ShouldStartWith("a ambient DoesNotExist");
        State("a").ShouldBe("ACKED");
    }

    [Fact]
    public async Task Reconnecting_tells_the_versions_that_are_known_and_subscribes_nothing_twice_per_xDS_protocol()
    {
        var (a, stream) = await WatchAsync("a");
        await WatchMoreAsync(stream, "b");
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        await a.NextAsync();
        await stream.NextAsync();
        stream.Fail(StatusCode.Unavailable, "connection lost");

        // A response had come: no back-off, no error (gRFC A57), the nonce forgotten.
        var again = await Server.AcceptDeltaAsync();
        var request = await again.NextAsync();
        request.Node.ShouldNotBeNull();
        request.ResourceNamesSubscribe.ShouldBe(["a", "b"]);
        request.InitialResourceVersions.ShouldBe(new Dictionary<string, string> { ["a"] = "v1" });
        request.ResponseNonce.ShouldBe("");
        a.IsQuiet.ShouldBeTrue();
        Client.Watch(TestResourceType.Endpoints, "e", new RecordingWatcher());
        (await again.NextAsync()).ResourceNamesSubscribe.ShouldBe(["e"]);
    }

    [Fact]
    public async Task A_wildcard_begins_with_an_empty_list_and_is_left_by_name_per_xDS_protocol()
    {
        var all = new RecordingWatcher();
        var watch = Client.Watch(TestResourceType.Cluster, "*", all);
        var stream = await Server.AcceptDeltaAsync();
        (await stream.NextAsync()).ResourceNamesSubscribe.ShouldBeEmpty();
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a")), Wrapped("b", "v1", Cluster("b"))));
        (await all.NextAsync()).ShouldBe("a=1 @v1");
        (await all.NextAsync()).ShouldBe("b=1 @v1");
        await stream.NextAsync();

        var b = await WatchMoreAsync(stream, "b");
        (await b.NextAsync()).ShouldBe("b=1 @v1");
        watch.Dispose();
        (await stream.NextAsync()).ResourceNamesUnsubscribe.ShouldBe(["*"]);
        Client.Status.Resources.Select(r => r.Name).ShouldBe(["b"]);
    }

    [Fact]
    public async Task A_wildcard_beside_names_is_asked_for_as_a_star_per_xDS_protocol()
    {
        Client.Watch(TestResourceType.Cluster, "a", new RecordingWatcher());
        var stream = await Server.AcceptDeltaAsync();
        await stream.NextAsync();
        Client.Watch(TestResourceType.Cluster, "*", new RecordingWatcher());
        (await stream.NextAsync()).ResourceNamesSubscribe.ShouldBe(["*"]);
    }

    [Fact]
    public async Task The_last_unwatch_of_a_name_unsubscribes_and_the_last_of_all_ends_the_stream()
    {
        var first = Client.Watch(TestResourceType.Cluster, "a", new RecordingWatcher());
        var stream = await Server.AcceptDeltaAsync();
        await stream.NextAsync();
        var second = Client.Watch(TestResourceType.Cluster, "a", new RecordingWatcher());
        var other = Client.Watch(TestResourceType.Endpoints, "e", new RecordingWatcher());
        (await stream.NextAsync()).ResourceNamesSubscribe.ShouldBe(["e"]);
        first.Dispose();
        second.Dispose();
        (await stream.NextAsync()).ResourceNamesUnsubscribe.ShouldBe(["a"]);
        other.Dispose();
        await stream.Disposed;
    }

    [Fact]
    public async Task A_time_to_live_expires_unless_a_heartbeat_renews_it_per_xDS_protocol()
    {
        var (watcher, stream) = await WatchAsync("a");
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"), TimeSpan.FromSeconds(10))));
        await watcher.NextAsync();
        await stream.NextAsync();
        Clock.Advance(TimeSpan.FromSeconds(8));
        stream.Send(Delta("n2", Wrapped("a", "v1", null, TimeSpan.FromSeconds(10))));
        (await stream.NextAsync()).ErrorDetail.ShouldBeNull();
        Clock.Advance(TimeSpan.FromSeconds(8));
        State("a").ShouldBe("ACKED");
        Clock.Advance(TimeSpan.FromSeconds(2));
        (await watcher.NextAsync()).ShouldStartWith("a error DoesNotExist");
    }

    [Fact]
    public async Task Subscriptions_made_while_a_response_is_delivered_go_out_before_its_ACK()
    {
        var delivered = new TaskCompletionSource();
        Client.ResponseDelivered += () => delivered.TrySetResult();
        var watcher = new RecordingWatcher { Then = _ => Client.Watch(TestResourceType.Endpoints, "e", new RecordingWatcher()) };
        Client.Watch(TestResourceType.Cluster, "a", watcher);
        var stream = await Server.AcceptDeltaAsync();
        await stream.NextAsync();
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        var subscription = await stream.NextAsync();
        subscription.TypeUrl.ShouldBe(TypeUrls.ClusterLoadAssignment);
        subscription.ResourceNamesSubscribe.ShouldBe(["e"]);
        delivered.Task.IsCompleted.ShouldBeTrue();
        (await stream.NextAsync()).ResponseNonce.ShouldBe("n1");
    }

    [Fact]
    public async Task The_next_response_is_not_read_before_the_watchers_have_seen_the_last()
    {
        using var hold = new ManualResetEventSlim();
        var entered = new TaskCompletionSource();
        Client.Watch(TestResourceType.Cluster, "a", new RecordingWatcher
        {
            Then = _ =>
            {
                entered.TrySetResult();
                hold.Wait(TimeSpan.FromSeconds(30));
            },
        });
        var stream = await Server.AcceptDeltaAsync();
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        stream.Send(Delta("n2", Wrapped("a", "v2", Cluster("a", "2"))));
        await entered.Task.WaitAsync(TimeSpan.FromSeconds(30));
        stream.ResponsesRead.ShouldBe(1);
        hold.Set();
        await stream.NextAsync();
        (await stream.NextAsync()).ResponseNonce.ShouldBe("n1");
        (await stream.NextAsync()).ResponseNonce.ShouldBe("n2");
    }

    [Fact]
    public async Task A_watcher_that_throws_harms_nobody_else()
    {
        Client.Watch(TestResourceType.Cluster, "a", new RecordingWatcher { Then = _ => throw new InvalidOperationException("boom") });
        var (watcher, stream) = await WatchAsync("a");
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        (await watcher.NextAsync()).ShouldBe("a=1 @v1");
        (await stream.NextAsync()).ResponseNonce.ShouldBe("n1");
    }

    [Fact]
    public async Task A_server_that_floods_a_wildcard_is_bounded_and_refused()
    {
        await UseAsync(maxResources: 100);
        Client.Watch(TestResourceType.Cluster, "*", new RecordingWatcher());
        var stream = await Server.AcceptDeltaAsync();
        await stream.NextAsync();
        for (var i = 0; i < 10; i++)
        {
            stream.Send(Delta($"n{i}", [.. Enumerable.Range(i * 50, 50).Select(n => Wrapped($"c{n}", "v", Cluster($"c{n}")))]));
        }

        string last = "";
        for (var i = 0; i < 10; i++)
        {
            last = (await stream.NextAsync()).ErrorDetail?.Message ?? "";
        }

        last.ShouldContain("more than 100 resources");
        last.ShouldEndWith("and 18 more");
        Client.Status.Resources.Count.ShouldBe(100);
    }

    [Fact]
    public async Task A_million_unrequested_resources_leave_nothing_behind()
    {
        var (watcher, stream) = await WatchAsync("a");
        var body = Cluster("x");
        for (var i = 0; i < 10; i++)
        {
            stream.Send(Delta($"n{i}", [.. Enumerable.Range(i * 100_000, 100_000).Select(n => Wrapped($"c{n}", "v", body))]));
            (await stream.NextAsync()).ResponseNonce.ShouldBe($"n{i}");
        }

        Client.Status.Resources.Count.ShouldBe(1);
        stream.Send(Delta("good", Wrapped("a", "v1", Cluster("a"))));
        (await watcher.NextAsync()).ShouldBe("a=1 @v1");
    }

    [Fact]
    public async Task Its_status_tells_the_last_ACK_and_the_last_NACK_of_each_kind_and_what_was_refused()
    {
        var (watcher, stream) = await WatchAsync("a");
        var good = Cluster("a");
        stream.Send(Delta("n1", Wrapped("a", "v1", good)));
        await watcher.NextAsync();
        await stream.NextAsync();
        Clock.Advance(TimeSpan.FromSeconds(5));
        var bad = Cluster("a", "bad");
        stream.Send(Delta("n2", Wrapped("a", "v2", bad)));
        await watcher.NextAsync();
        await stream.NextAsync();

        var now = Clock.GetUtcNow();
        var type = Client.Status.Types.ShouldHaveSingleItem();
        type.TypeUrl.ShouldBe(TypeUrls.Cluster);
        (type.Accepted, type.Refused).ShouldBe((1, 1));
        type.LastAck.ShouldBe(new XdsAnswer("n1", "n1", now - TimeSpan.FromSeconds(5), null));
        type.LastNack.ShouldBe(new XdsAnswer("n2", "n2", now, "Cluster a: alt_stat_name: is bad"));
        var resource = Client.Status.Resources.ShouldHaveSingleItem();
        (resource.State, resource.Version, resource.Body).ShouldBe(("NACKED", "v1", good.Value));
        resource.Rejected.ShouldBe(new XdsRejection("v2", "alt_stat_name: is bad", now, bad.Value));

        stream.Send(Delta("n3", Wrapped("a", "v3", Cluster("a", "3"))));
        await watcher.NextAsync();
        await stream.NextAsync();
        Client.Status.Resources.Single().Rejected.ShouldBeNull();
        Client.Status.Types.Single().Accepted.ShouldBe(2);
    }

    private string State(string name) => Client.Status.Resources.Single(r => r.Name == name).State;

    private async Task<(RecordingWatcher Watcher, ScriptedAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse> Stream)> WatchAsync(string name)
    {
        var watcher = new RecordingWatcher();
        Client.Watch(TestResourceType.Cluster, name, watcher);
        var stream = await Server.AcceptDeltaAsync();
        await stream.NextAsync();
        return (watcher, stream);
    }

    private async Task<RecordingWatcher> WatchMoreAsync(ScriptedAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse> stream, string name)
    {
        var watcher = new RecordingWatcher();
        Client.Watch(TestResourceType.Cluster, name, watcher);
        (await stream.NextAsync()).ResourceNamesSubscribe.ShouldBe([name]);
        return watcher;
    }
}
