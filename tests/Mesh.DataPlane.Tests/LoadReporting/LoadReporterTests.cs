using Mesh.DataPlane.LoadReporting;
using Mesh.Testing;
using Mesh.Xds.Ads;
using Mesh.Xds.Grpc;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.DataPlane.Tests.LoadReporting;

/// <summary>The stream of load reports, in virtual time.</summary>
public sealed class LoadReporterTests : IDisposable
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(10);

    private readonly ManualTimeProvider _time = new();
    private readonly ScriptedXdsClient _xds = new();
    private readonly ScriptedLoadServer _server = new();
    private readonly LoadStore _store;
    private LoadReporter? _reporter;

    public LoadReporterTests()
    {
        _store = new LoadStore(_time);
        _xds.LoadStreams = _server.OpenAsync;
    }

    [Fact]
    public async Task The_first_message_says_who_this_is_and_nothing_is_told_before_the_server_has_asked()
    {
        Start();
        _store.Acquire("a").Endpoint(1).Times(7, LoadCount.Issued, LoadCount.Succeeded);
        Connect("mesh");
        var stream = await _server.AcceptAsync();

        var first = await stream.NextAsync();
        first.Node.Id.ShouldBe("scripted");
        first.Node.ClientFeatures.ShouldContain("envoy.lrs.supports_send_all_clusters");
        first.ClusterStats.ShouldBeEmpty();
        _xds.Node.ClientFeatures.ShouldBeEmpty("the node of the configuration's stream is another");
        _time.ActiveTimers.ShouldBe(0);
        stream.IsQuiet.ShouldBeTrue();
    }

    [Fact]
    public async Task Reports_come_on_the_server_s_beat_and_follow_it_when_it_asks_for_another()
    {
        var reporter = Start();
        Connect("mesh");
        var stream = await _server.AcceptAsync();
        await stream.NextAsync();
        stream.Ask(Beat);
        await WaitsAsync(Beat);
        _store.Acquire("a").Endpoint(1).Times(2, LoadCount.Issued, LoadCount.Succeeded);

        _time.Advance(Beat);
        var report = await stream.NextAsync();
        report.Node.ShouldBeNull("it is said once");
        report.ClusterStats.ShouldHaveSingleItem().UpstreamLocalityStats.ShouldHaveSingleItem().TotalIssuedRequests.ShouldBe(2UL);

        await WaitsAsync(Beat);
        _time.Advance(Beat);
        (await stream.NextAsync()).ClusterStats.ShouldBeEmpty();

        stream.Ask(TimeSpan.FromSeconds(2), byEndpoint: true);
        await WaitsAsync(TimeSpan.FromSeconds(2));
        reporter.Interval.ShouldBe(TimeSpan.FromSeconds(2));
        _store.Acquire("a").Endpoint(1).Times(1, LoadCount.Issued);
        _time.Advance(TimeSpan.FromSeconds(2));
        (await stream.NextAsync()).ClusterStats.ShouldHaveSingleItem().UpstreamLocalityStats.ShouldHaveSingleItem().UpstreamEndpointStats.Count.ShouldBe(1);
        reporter.Sent.ShouldBeGreaterThanOrEqualTo(2);
    }

    [Fact]
    public async Task A_beat_that_is_none_is_a_second()
    {
        Start();
        Connect("mesh");
        var stream = await _server.AcceptAsync();
        await stream.NextAsync();
        stream.Ask(TimeSpan.Zero);
        await WaitsAsync(TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(0.99));
        stream.IsQuiet.ShouldBeTrue();
        _time.Advance(TimeSpan.FromSeconds(0.01));
        await stream.NextAsync();
    }

    [Fact]
    public async Task A_lost_stream_is_opened_again_after_a_pause_and_what_happened_meanwhile_is_not_told()
    {
        var reporter = Start();
        Connect("mesh");
        var stream = await _server.AcceptAsync();
        await stream.NextAsync();
        stream.Ask(Beat);
        await UntilAsync(() => _store.IsReported);

        stream.Fail(StatusCode.Unavailable);
        await stream.EndedAsync();
        await WaitsAsync(TimeSpan.FromSeconds(1));
        reporter.Failures.ShouldBe(1);
        _store.IsReported.ShouldBeFalse();
        _store.Acquire("a").Endpoint(1).Times(5, LoadCount.Issued);

        _time.Advance(TimeSpan.FromSeconds(1));
        var second = await _server.AcceptAsync();
        (await second.NextAsync()).Node.Id.ShouldBe("scripted");
        second.Ask(Beat);
        await WaitsAsync(Beat);
        _time.Advance(Beat);
        (await second.NextAsync()).ClusterStats.ShouldHaveSingleItem().UpstreamLocalityStats.ShouldHaveSingleItem().TotalIssuedRequests.ShouldBe(0UL);
        reporter.Failures.ShouldBe(1);
    }

    [Fact]
    public async Task A_control_plane_that_takes_no_reports_is_not_asked_again_on_the_same_connection()
    {
        var asked = 0;
        _xds.LoadStreams = _ =>
        {
            Interlocked.Increment(ref asked);
            throw new RpcException(StatusCode.Unimplemented, "no");
        };
        var reporter = Start();
        Connect("mesh");
        await UntilAsync(() => reporter.Failures == 1);
        _xds.Deliver();
        _xds.Deliver();
        _time.ActiveTimers.ShouldBe(0);
        asked.ShouldBe(1);

        _xds.StreamsOpened++;
        _xds.Deliver();
        await UntilAsync(() => reporter.Failures == 2);
        asked.ShouldBe(2);
    }

    [Fact]
    public async Task A_foreign_control_plane_is_told_only_when_it_has_sent_a_cluster_with_lrs_server()
    {
        var reporter = Start();
        Connect("istiod");
        _store.Acquire("a");
        _xds.Deliver();
        _store.Acquire("b").Use(null, new LoadReportingPolicy(true, []));
        reporter.IsConnected.ShouldBeFalse();
        _xds.Deliver();

        var stream = await _server.AcceptAsync();
        await stream.NextAsync();
        stream.Ask(Beat);
        await WaitsAsync(Beat);
        _time.Advance(Beat);
        (await stream.NextAsync()).ClusterStats.Select(s => s.ClusterName).ShouldBe(["b"]);
    }

    [Theory]
    [InlineData(MeshLoadReporting.Always, true)]
    [InlineData(MeshLoadReporting.Never, false)]
    public async Task The_setting_decides(MeshLoadReporting mode, bool reports)
    {
        var reporter = Start(mode);
        _store.Acquire("a");
        Connect("istiod");
        if (!reports)
        {
            _xds.Deliver();
            reporter.IsConnected.ShouldBeFalse();
            reporter.Failures.ShouldBe(0);
            return;
        }

        var stream = await _server.AcceptAsync();
        await stream.NextAsync();
        stream.Ask(Beat);
        await WaitsAsync(Beat);
        _time.Advance(Beat);
        (await stream.NextAsync()).ClusterStats.Select(s => s.ClusterName).ShouldBe(["a"]);
    }

    public void Dispose() => _reporter?.Dispose();

    private LoadReporter Start(MeshLoadReporting mode = MeshLoadReporting.Auto)
    {
        _reporter = new LoadReporter(_xds, _store, mode, _time, new SequenceRandomSource(1), NullLogger.Instance);
        _reporter.Start();
        return _reporter;
    }

    private void Connect(string controlPlane)
    {
        _xds.ControlPlane = controlPlane;
        _xds.Deliver();
    }

    // It waits for exactly that long: a timer that is about to be disposed of, or is that of another wait, is not it.
    private Task WaitsAsync(TimeSpan time) => _time.WaitForTimerAsync(time).WaitAsync(TimeSpan.FromSeconds(30));

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition())
        {
            await Task.Delay(1, patience.Token);
        }
    }
}
