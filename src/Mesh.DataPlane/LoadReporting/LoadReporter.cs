using Envoy.Config.Core.V3;
using Envoy.Service.LoadStats.V3;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;
using Mesh.Xds.Grpc;
using Mesh.Xds.Metrics;
using Mesh.Xds.Serving;
using Mesh.Xds.Validation;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.LoadReporting;

/// <summary>
/// Tells the control plane the load of this process (LRS): on the connection of its configuration, as often and about what the control plane asks.
/// Whatever goes wrong costs a counter and another try later.
/// </summary>
internal sealed partial class LoadReporter : IDisposable
{
    /// <summary>As in gRPC: more often than this nobody is told.</summary>
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan WriteDeadline = TimeSpan.FromSeconds(30);

    private readonly IXdsClient _client;
    private readonly LoadStore _store;
    private readonly MeshLoadReporting _mode;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ExponentialBackoff _backoff;
    private readonly CancellationTokenSource _disposed = new();
    private readonly SemaphoreSlim _demand = new(0, 1);
    private long _refusedBy = -1;
    private bool _wasAsked;

    /// <param name="client">The client whose control plane is told.</param>
    /// <param name="store">The loads.</param>
    /// <param name="mode">When it is told.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Spreads tries.</param>
    /// <param name="logger">Where failures are told.</param>
    public LoadReporter(IXdsClient client, LoadStore store, MeshLoadReporting mode, TimeProvider time, IRandomSource random, ILogger logger)
    {
        (_client, _store, _mode, _time, _logger) = (client, store, mode, time, logger);
        _backoff = new ExponentialBackoff(random);
    }

    /// <summary>Reports that the control plane has taken.</summary>
    public long Sent { get; private set; }

    /// <summary>Streams that failed, be it that they could not be opened.</summary>
    public long Failures { get; private set; }

    /// <summary>Whether a stream is open.</summary>
    public bool IsConnected { get; private set; }

    /// <summary>Whether the next report is only waiting for its time.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>How often the server wants to be told; infinite before it has said so.</summary>
    public TimeSpan Interval { get; private set; } = Timeout.InfiniteTimeSpan;

    /// <summary>Shows how the reports fare.</summary>
    public void Register(MetricRegistry metrics)
    {
        metrics.Observe(new MetricDescription("mesh_load_reports_sent_total", MetricType.Counter, "Load reports that the control plane has taken."), v => v.Value([], Sent));
        metrics.Observe(new MetricDescription("mesh_load_report_failures_total", MetricType.Counter, "Streams for load reports that failed, or could not be opened."), v => v.Value([], Failures));
        metrics.Observe("mesh_load_report_connected", "Whether a stream for load reports is open.", () => IsConnected ? 1 : 0);
    }

    /// <summary>Begins to watch for a control plane that wants to be told.</summary>
    public void Start()
    {
        if (_mode != MeshLoadReporting.Never)
        {
            _client.ResponseDelivered += Check;
            _ = Task.Run(RunAsync);
        }
    }

    public void Dispose()
    {
        _client.ResponseDelivered -= Check;
        _disposed.Cancel();
    }

    /// <summary>Runs after each response of the control plane.</summary>
    private void Check()
    {
        if (!IsConnected && IsWanted() && _demand.CurrentCount == 0)
        {
            try
            {
                _demand.Release();
            }
            catch (SemaphoreFullException)
            {
                // Somebody else has.
            }
        }
    }

    private bool IsWanted()
        => _client.ControlPlane is { } server
            && _client.StreamsOpened != Volatile.Read(ref _refusedBy)
            && (_mode == MeshLoadReporting.Always || IsOwn(server) || _store.HasWanted);

    private static bool IsOwn(string server) => server == AdsServer.Identifier;

    private async Task RunAsync()
    {
        while (!_disposed.IsCancellationRequested)
        {
            try
            {
                if (!IsWanted())
                {
                    await _demand.WaitAsync(_disposed.Token).ConfigureAwait(false);
                    continue;
                }

                var stream = _client.StreamsOpened;
                var server = _client.ControlPlane ?? "";
                var reason = await RunStreamAsync(server).ConfigureAwait(false);
                if (_disposed.IsCancellationRequested)
                {
                    return;
                }

                Failures++;
                if (reason is RpcException { StatusCode: StatusCode.Unimplemented })
                {
                    // Nor will it on the same connection.
                    Log.NotTaken(_logger, server);
                    Volatile.Write(ref _refusedBy, stream);
                    continue;
                }

                var delay = _backoff.Next();
                Log.Failed(_logger, reason?.Message ?? "the server ended the stream", delay);
                await Task.Delay(delay, _time, _disposed.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_disposed.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                Log.Unexpected(_logger, e);
                await Task.Delay(WriteDeadline, _time, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private async Task<Exception?> RunStreamAsync(string server)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_disposed.Token);
        try
        {
            // 1. The first message says only who this is.
            await using var call = await _client.OpenLoadStreamAsync(end.Token).ConfigureAwait(false);
            await call.WriteAsync(new LoadStatsRequest { Node = OwnNode() }, end.Token).ConfigureAwait(false);

            // 2. Nothing is told before the server has asked, and then on its beat.
            var reported = new ReportedLoads(_store, _time, IsOwn(server), fromBeginning: IsOwn(server) && !_wasAsked);
            var reading = call.ReadAsync(end.Token).AsTask();
            Interval = Timeout.InfiniteTimeSpan;
            var due = _time.GetTimestamp();
            while (true)
            {
                if (Interval == Timeout.InfiniteTimeSpan || await IsFirstAsync(reading, Interval - _time.GetElapsedTime(due), end.Token).ConfigureAwait(false))
                {
                    if (await reading.ConfigureAwait(false) is not { } asked)
                    {
                        return null;
                    }

                    _backoff.Reset();
                    _wasAsked = true;
                    (IsConnected, _store.IsReported) = (true, true);
                    reported.Ask(asked, onlyWanted: !IsOwn(server) && _mode != MeshLoadReporting.Always);
                    Interval = IntervalOf(asked);
                    due = _time.GetTimestamp();
                    reading = call.ReadAsync(end.Token).AsTask();
                    continue;
                }

                due = _time.GetTimestamp();
                foreach (var report in reported.Next())
                {
                    await WriteAsync(call, report, end.Token).ConfigureAwait(false);
                }

                Sent++;
            }
        }
        catch (Exception e) when (e is not OperationCanceledException || !_disposed.IsCancellationRequested)
        {
            return e;
        }
        finally
        {
            (IsConnected, _store.IsReported) = (false, false);
            await end.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Whether the server says something before it is time for the next report.</summary>
    private async Task<bool> IsFirstAsync(Task reading, TimeSpan left, CancellationToken cancellationToken)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var beat = Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero, _time, waiting.Token);
        IsWaiting = true;
        var first = await Task.WhenAny(reading, beat).ConfigureAwait(false);
        IsWaiting = false;
        if (first != reading)
        {
            await beat.ConfigureAwait(false);
            return false;
        }

        await waiting.CancelAsync().ConfigureAwait(false);
        return true;
    }

    // A server that does not read must not hold this up for ever.
    private async ValueTask WriteAsync(IAdsCall<LoadStatsRequest, LoadStatsResponse> call, LoadStatsRequest report, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(WriteDeadline, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            await call.WriteAsync(report, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new RpcException(StatusCode.DeadlineExceeded, $"a load report was not taken within {WriteDeadline.TotalSeconds} s");
        }
    }

    private Node OwnNode()
    {
        var node = _client.Node.Clone();
        if (!node.ClientFeatures.Contains(LoadReportingMethods.SendAllClusters))
        {
            node.ClientFeatures.Add(LoadReportingMethods.SendAllClusters);
        }

        return node;
    }

    private static TimeSpan IntervalOf(LoadStatsResponse response)
    {
        TimeSpan interval;
        try
        {
            interval = response.LoadReportingInterval?.ToTimeSpan() ?? TimeSpan.Zero;
        }
        catch (Exception e) when (e is InvalidOperationException or OverflowException)
        {
            return TimerRange.Longest;
        }

        return interval < ShortestInterval ? ShortestInterval : TimerRange.Limit(interval);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Debug, "The load is not reported for the moment: {Reason}. Trying again in {Delay}")]
        public static partial void Failed(ILogger logger, string reason, TimeSpan delay);

        [LoggerMessage(2, LogLevel.Debug, "The control plane {Server} takes no load reports")]
        public static partial void NotTaken(ILogger logger, string server);

        [LoggerMessage(3, LogLevel.Error, "Reporting the load failed")]
        public static partial void Unexpected(ILogger logger, Exception exception);
    }
}
