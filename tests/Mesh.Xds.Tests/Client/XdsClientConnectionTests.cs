using Envoy.Config.Core.V3;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;
using Mesh.Xds.Grpc;

namespace Mesh.Xds.Tests.Client;

/// <summary>Lost connections, silence, other servers, and what a workload says of itself.</summary>
public sealed class XdsClientConnectionTests : XdsClientFixture
{
    [Fact]
    public async Task Silence_of_15_seconds_means_does_not_exist_per_gRFC_A57()
    {
        var watcher = new RecordingWatcher();
        Client.Watch(TestResourceType.Cluster, "a", watcher);
        var stream = await Server.AcceptDeltaAsync();
        await stream.NextAsync();
        await Clock.WaitForTimersAsync(1);
        Clock.Advance(TimeSpan.FromSeconds(14.9));
        Clock.ActiveTimers.ShouldBe(1);
        Clock.Advance(TimeSpan.FromSeconds(0.1));
        (await watcher.NextAsync()).ShouldBe("a error DoesNotExist: Cluster a does not exist: scripted did not answer within 15 s");

        // A new watcher is told at once, and an answer that comes late still counts.
        var late = new RecordingWatcher();
        Client.Watch(TestResourceType.Cluster, "a", late);
        (await late.NextAsync()).ShouldStartWith("a error DoesNotExist");
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        (await watcher.NextAsync()).ShouldBe("a=1 @v1");
    }

    [Fact]
    public async Task With_resource_timer_is_transient_error_silence_of_30_seconds_means_unavailable_per_gRFC_A88()
    {
        await UseAsync(features: XdsServerFeatures.ResourceTimerIsTransientError);
        var watcher = new RecordingWatcher();
        Client.Watch(TestResourceType.Cluster, "a", watcher);
        await (await Server.AcceptDeltaAsync()).NextAsync();
        await Clock.WaitForTimersAsync(1);
        Clock.Advance(TimeSpan.FromSeconds(30));
        (await watcher.NextAsync()).ShouldStartWith("a error Unavailable");
    }

    [Fact]
    public async Task The_resource_timer_stops_with_the_stream_and_restarts_only_for_what_is_not_cached_per_gRFC_A57()
    {
        Client.Watch(TestResourceType.Cluster, "a", new RecordingWatcher());
        var stream = await Server.AcceptDeltaAsync();
        await stream.NextAsync();
        Client.Watch(TestResourceType.Cluster, "b", new RecordingWatcher());
        await stream.NextAsync();
        await Clock.WaitForTimersAsync(2);
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        await stream.NextAsync();
        Clock.ActiveTimers.ShouldBe(1);
        stream.End();
        var again = await Server.AcceptDeltaAsync();
        await again.NextAsync();
        await Clock.WaitForTimersAsync(1);
        Clock.Advance(TimeSpan.FromSeconds(14));
        Clock.ActiveTimers.ShouldBe(1);
    }

    [Fact]
    public async Task A_stream_lost_before_any_response_is_an_error_and_backs_off_by_1_6_per_gRFC_A57()
    {
        var watcher = new RecordingWatcher();
        Server.Refuse = new RpcException(StatusCode.Unavailable, "connection refused");
        Client.Watch(TestResourceType.Cluster, "a", watcher);
        (await watcher.NextAsync()).ShouldBe("a error Unavailable: the control plane scripted cannot be reached: Unavailable: connection refused");

        foreach (var seconds in (double[])[1, 1.6, 2.56, 4.096])
        {
            await Clock.WaitForTimersAsync(1);
            var opened = Server.Opened;
            Clock.Advance(TimeSpan.FromSeconds(seconds - 0.001));
            Clock.ActiveTimers.ShouldBe(1);
            Server.Opened.ShouldBe(opened);
            Clock.Advance(TimeSpan.FromSeconds(0.001));
        }

        // The same failure is told once, but to every new watcher.
        await Clock.WaitForTimersAsync(1);
        watcher.IsQuiet.ShouldBeTrue();
        var late = new RecordingWatcher();
        Client.Watch(TestResourceType.Cluster, "b", late);
        (await late.NextAsync()).ShouldStartWith("b error Unavailable");
    }

    [Fact]
    public async Task Losing_the_server_changes_nothing_for_what_is_cached_per_gRFC_A88()
    {
        var watcher = new RecordingWatcher();
        Client.Watch(TestResourceType.Cluster, "a", watcher);
        var stream = await Server.AcceptDeltaAsync();
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        await watcher.NextAsync();
        await stream.NextAsync();
        await stream.NextAsync();
        Server.Refuse = new RpcException(StatusCode.Unavailable, "connection refused");
        stream.Fail(StatusCode.Unavailable, "connection lost");
        (await watcher.NextAsync()).ShouldStartWith("a ambient Unavailable");
        Client.Status.Connected.ShouldBeFalse();
        Client.Status.LastError.ShouldBe("Unavailable: connection refused");
        Client.Status.Resources.Single().State.ShouldBe("ACKED");
    }

    [Fact]
    public async Task A_server_that_is_back_with_what_it_had_is_told_of_per_gRFC_A88()
    {
        var watcher = new RecoveryWatcher();
        Client.Watch(TestResourceType.Cluster, "a", watcher);
        var stream = await Server.AcceptDeltaAsync();
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        await stream.NextAsync();
        await stream.NextAsync();
        Server.Refuse = new RpcException(StatusCode.Unavailable, "connection refused");
        stream.Fail(StatusCode.Unavailable, "connection lost");
        await Clock.WaitForTimerAsync(TimeSpan.FromSeconds(1)).WaitAsync(TimeSpan.FromSeconds(30));
        Server.Refuse = null;
        Clock.Advance(TimeSpan.FromSeconds(1));

        // It knows by the request what the client has, and sends nothing of it.
        var again = await Server.AcceptDeltaAsync();
        (await again.NextAsync()).InitialResourceVersions.ShouldContainKeyAndValue("a", "v1");
        again.Send(Delta("n2"));
        await watcher.Recovered.Task.WaitAsync(TimeSpan.FromSeconds(30));
        watcher.Told.ShouldBe(["changed", "ambient error", "recovered"]);
    }

    [Fact]
    public async Task A_server_that_answers_and_hangs_up_for_ever_is_not_met_with_a_spin()
    {
        Client.Watch(TestResourceType.Cluster, "a", new RecordingWatcher());
        for (var i = 0; i < 2; i++)
        {
            var stream = await Server.AcceptDeltaAsync();
            stream.Send(Delta("n", Wrapped("a", "v1", Cluster("a"))));
            await stream.NextAsync();
            await stream.NextAsync();
            stream.End();
        }

        await Clock.WaitForTimersAsync(1);
        Server.Opened.ShouldBe(2);
        Clock.Advance(TimeSpan.FromSeconds(1));
        await Server.AcceptDeltaAsync();
    }

    [Theory]
    [InlineData(0UL, 0.8)]
    [InlineData(ulong.MaxValue, 1.2)]
    public void The_back_off_has_a_jitter_of_a_fifth_and_a_cap_of_two_minutes(ulong bits, double factor)
    {
        var backoff = new ExponentialBackoff(new Fixed(bits));
        backoff.Next().TotalSeconds.ShouldBe(factor, 0.001);
        for (var i = 0; i < 20; i++)
        {
            backoff.Next();
        }

        backoff.Next().TotalSeconds.ShouldBe(120 * factor, 0.001);
        backoff.Reset();
        backoff.Next().TotalSeconds.ShouldBe(factor, 0.001);
    }

    [Fact]
    public async Task Falls_back_only_while_something_is_uncached_and_returns_with_the_primarys_first_update_per_gRFC_A71()
    {
        var fallback = new ScriptedAdsTransport("fallback");
        await UseAsync(fallbacks: new XdsServer(fallback));
        var watcher = new RecordingWatcher();
        Server.Refuse = new RpcException(StatusCode.Unavailable, "down");
        Client.Watch(TestResourceType.Cluster, "a", watcher);
        var second = await fallback.AcceptDeltaAsync();
        (await second.NextAsync()).ResourceNamesSubscribe.ShouldBe(["a"]);
        second.Send(Delta("f1", Wrapped("a", "vf", Cluster("a", "fallback"))));
        (await watcher.NextAsync()).ShouldBe("a=fallback @vf");

        // The primary was never given up; what came from another server is not reported to it as known.
        Server.Refuse = null;
        await Clock.WaitForTimersAsync(1);
        Clock.Advance(TimeSpan.FromSeconds(2));
        var primary = await Server.AcceptDeltaAsync();
        (await primary.NextAsync()).InitialResourceVersions.ShouldBeEmpty();
        primary.Send(Delta("p1", Wrapped("a", "vp", Cluster("a", "primary"))));
        (await watcher.NextAsync()).ShouldBe("a=primary @vp");
        await second.Disposed;
    }

    [Fact]
    public async Task With_everything_cached_a_lost_server_is_no_reason_to_fall_back_per_gRFC_A71()
    {
        var fallback = new ScriptedAdsTransport("fallback");
        await UseAsync(fallbacks: new XdsServer(fallback));
        var watcher = new RecordingWatcher();
        Client.Watch(TestResourceType.Cluster, "a", watcher);
        var stream = await Server.AcceptDeltaAsync();
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        await watcher.NextAsync();
        Server.Refuse = new RpcException(StatusCode.Unavailable, "down");
        stream.End();
        (await watcher.NextAsync()).ShouldStartWith("a ambient Unavailable");
        fallback.Opened.ShouldBe(0);

        Client.Watch(TestResourceType.Cluster, "b", new RecordingWatcher());
        (await (await fallback.AcceptDeltaAsync()).NextAsync()).ResourceNamesSubscribe.ShouldBe(["a", "b"]);
    }

    [Fact]
    public async Task Replicas_are_turned_to_for_what_is_cached_too_and_the_first_is_tried_again_within_12_seconds()
    {
        var second = new ScriptedAdsTransport("second");
        await UseAsync(areReplicas: true, fallbacks: new XdsServer(second));
        var watcher = new RecordingWatcher();
        Client.Watch(TestResourceType.Cluster, "a", watcher);
        var stream = await Server.AcceptDeltaAsync();
        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        await watcher.NextAsync();
        Server.Refuse = new RpcException(StatusCode.Unavailable, "down");
        stream.End();

        var other = await second.AcceptDeltaAsync();
        var first = await other.NextAsync();
        first.ResourceNamesSubscribe.ShouldBe(["a"]);
        first.InitialResourceVersions.ShouldContainKeyAndValue("a", "v1");
        other.Send(Delta("m1", Wrapped("a", "v2", Cluster("a", "2"))));
        (await watcher.NextAsync()).ShouldBe("a=2 @v2");

        // However long it has been away. (Delays are in whole milliseconds.)
        foreach (var wait in (double[])[1, 1.6, 2.56, 4.096, 6.553, .. Enumerable.Repeat(10, 15)])
        {
            var pause = TimeSpan.FromSeconds(wait);
            await Clock.WaitForTimerAsync(pause).WaitAsync(TimeSpan.FromSeconds(30));
            var opened = Server.Opened;
            Clock.Advance(pause);
            await Clock.WaitForTimersAsync(1).WaitAsync(TimeSpan.FromSeconds(30));
            Server.Opened.ShouldBe(opened + 1);
        }
    }

    [Fact]
    public async Task Health_is_reported_after_the_subscriptions_as_Istios_agent_does_and_again_on_every_stream()
    {
        Client.Watch(TestResourceType.Cluster, "a", new RecordingWatcher());
        var stream = await Server.AcceptDeltaAsync();
        await stream.NextAsync();
        Client.ReportHealth(true);
        var healthy = await stream.NextAsync();
        (healthy.TypeUrl, healthy.ErrorDetail).ShouldBe((TypeUrls.HealthInformation, null));
        Client.ReportHealth(false, "stopping");
        var unhealthy = await stream.NextAsync();
        (unhealthy.ErrorDetail.Code, unhealthy.ErrorDetail.Message).ShouldBe((13, "stopping"));

        stream.Send(Delta("n1", Wrapped("a", "v1", Cluster("a"))));
        await stream.NextAsync();
        stream.End();
        var again = await Server.AcceptDeltaAsync();
        (await again.NextAsync()).TypeUrl.ShouldBe(TypeUrls.Cluster);
        (await again.NextAsync()).ErrorDetail.Message.ShouldBe("stopping");
    }

    [Fact]
    public async Task A_workload_that_watches_nothing_still_reports_its_health_in_state_of_the_world()
    {
        await UseAsync(delta: false);
        Client.ReportHealth(false, "starting");
        var stream = await Server.AcceptSotwAsync();
        var report = await stream.NextAsync();
        report.Node.Id.ShouldBe("node");
        report.TypeUrl.ShouldBe(TypeUrls.HealthInformation);
        report.ErrorDetail.Message.ShouldBe("starting");
    }

    [Fact]
    public async Task Draining_ends_with_the_servers_answer_or_with_the_stream()
    {
        Client.ReportHealth(true);
        await Client.WhenDrainedAsync(default);
        var stream = await Server.AcceptDeltaAsync();
        await stream.NextAsync();
        Client.ReportHealth(false, "stopping");
        var drained = Client.WhenDrainedAsync(default);
        await stream.NextAsync();
        stream.Send(new() { TypeUrl = TypeUrls.HealthInformation, Nonce = "h0", SystemVersionInfo = "healthy" });
        stream.Send(new() { TypeUrl = TypeUrls.Prefix + "example.Barrier", Nonce = "x" });
        drained.IsCompleted.ShouldBeFalse();
        stream.Send(new() { TypeUrl = TypeUrls.HealthInformation, Nonce = "h1", SystemVersionInfo = "unhealthy" });
        await drained.WaitAsync(TimeSpan.FromSeconds(30));

        Client.ReportHealth(true);
        await stream.NextAsync();
        Client.ReportHealth(false);
        await stream.NextAsync();
        drained = Client.WhenDrainedAsync(default);
        stream.Fail(StatusCode.Unavailable, "gone");
        await drained.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_changed_node_travels_on_a_new_stream_at_once_and_is_no_failure()
    {
        var watcher = new RecordingWatcher();
        Client.Watch(TestResourceType.Cluster, "a", watcher);
        var stream = await Server.AcceptDeltaAsync();
        await stream.NextAsync();
        Client.UpdateNode(node => node.Cluster = "changed");
        var again = await Server.AcceptDeltaAsync();
        (await again.NextAsync()).Node.Cluster.ShouldBe("changed");
        await stream.Disposed;
        watcher.IsQuiet.ShouldBeTrue();
    }

    [Fact]
    public async Task Disposing_the_client_ends_stream_and_transport()
    {
        Client.Watch(TestResourceType.Cluster, "a", new RecordingWatcher());
        var stream = await Server.AcceptDeltaAsync();
        await stream.NextAsync();
        await Client.DisposeAsync();
        await stream.Disposed;
        Server.IsDisposed.ShouldBeTrue();
        Clock.ActiveTimers.ShouldBe(0);
    }

    [Fact]
    public async Task What_was_under_way_when_the_client_was_disposed_of_starts_no_timer()
    {
        var server = new HeldServer();
        var client = new XdsClient([new XdsServer(server)], new XdsClientOptions { Node = new Node { Id = "node" }, TimeProvider = Clock });
        var watcher = new RecordingWatcher();
        client.Watch(TestResourceType.Cluster, "a", watcher);
        await server.Writing.Task.WaitAsync(TimeSpan.FromSeconds(30));
        var disposing = client.DisposeAsync().AsTask();
        await client.EnqueueAsync(() => { });

        // Not from here: what follows runs at once where no context keeps it from that.
        await Task.Run(() => server.Written.SetResult());
        await client.EnqueueAsync(() => { });
        server.Response.SetResult(Delta("n1", Wrapped("a", "v1", Cluster("a"), TimeSpan.FromSeconds(10))));
        await disposing.WaitAsync(TimeSpan.FromSeconds(30));

        Clock.ActiveTimers.ShouldBe(0);
        watcher.IsQuiet.ShouldBeTrue();
    }

    private sealed class RecoveryWatcher : IResourceWatcher<string>
    {
        public List<string> Told { get; } = [];

        public TaskCompletionSource Recovered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void OnChanged(string name, string resource, string version) => Told.Add("changed");

        public void OnResourceError(string name, ResourceError error) => Told.Add("error");

        public void OnAmbientError(string name, ResourceError error) => Told.Add("ambient error");

        public void OnRecovered(string name)
        {
            Told.Add("recovered");
            Recovered.TrySetResult();
        }
    }

    private sealed class Fixed(ulong bits) : IRandomSource
    {
        public ulong NextUInt64() => bits;
    }
}
