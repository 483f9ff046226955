using Mesh.DataPlane.Calls;
using Mesh.Xds.Grpc;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>
/// Entries to a service. One that does not answer gets nothing for a while, longer each time, while the entries find room or are dropped; nobody
/// else waits for it.
/// </summary>
/// <typeparam name="T">The entry.</typeparam>
internal abstract partial class CollectorOutput<T> : IAsyncDisposable
{
    private static readonly TimeSpan LeastPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MostPause = TimeSpan.FromSeconds(60);

    private readonly LogQueue<T> _queue;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _name;
    private readonly Func<IClusterCalls> _calls;
    private ClusterHold? _hold;
    private TimeSpan _pause;
    private long _failed;
    private int _asking;

    /// <param name="collector">The service.</param>
    /// <param name="calls">How it is reached.</param>
    /// <param name="maxBytes">How many bytes of entries may wait.</param>
    /// <param name="counts">What becomes of them.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Is told once when the service fails, and once when it does no longer.</param>
    protected CollectorOutput(CollectorSettings collector, Func<IClusterCalls> calls, long maxBytes, AccessLogCounts counts, TimeProvider time, ILogger logger)
    {
        (Collector, Counts, _time, _logger) = (collector, counts, time, logger);
        _calls = calls;
        _name = $"{collector.LogName} ({collector.Target.Cluster})";
        _queue = new LogQueue<T>(
            new LogQueueSettings(collector.FlushInterval, collector.BufferBytes, maxBytes) { BatchBytes = Math.Clamp(collector.BufferBytes, 16 * 1024, 1024 * 1024) }, time, SendAsync, _ => counts.Drop(1));
    }

    public AccessLogCounts Counts { get; }

    protected CollectorSettings Collector { get; }

    protected IClusterCalls Calls => _calls();

    public void Add(T entry, int bytes) => _queue.Add(entry, bytes);

    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        // Whoever asks does not want to hear that it is not time yet, be it because of an attempt that fails meanwhile.
        Interlocked.Increment(ref _asking);
        try
        {
            await _queue.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _asking);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _queue.DisposeAsync().ConfigureAwait(false);
        await CloseAsync().ConfigureAwait(false);
        if (_hold is { } hold)
        {
            lock (_calls().Sync)
            {
                hold.Dispose();
            }
        }
    }

    /// <summary>Sends entries.</summary>
    /// <exception cref="RpcException">They were not taken.</exception>
    /// <exception cref="ClusterCallException">They were not taken.</exception>
    protected abstract Task SendAsync(IReadOnlyList<T> entries, CancellationToken cancellationToken);

    protected virtual ValueTask CloseAsync() => ValueTask.CompletedTask;

    private async Task SendAsync(List<T> entries, CancellationToken cancellationToken)
    {
        if (_failed != 0 && Volatile.Read(ref _asking) == 0 && _time.GetElapsedTime(_failed) < _pause)
        {
            Counts.Drop(entries.Count);
            return;
        }

        try
        {
            Hold();
            await SendAsync((IReadOnlyList<T>)entries, cancellationToken).ConfigureAwait(false);
            Counts.Wrote(entries.Count);
            if (_pause > TimeSpan.Zero)
            {
                Log.Recovered(_logger, _name, Counts.Dropped);
            }

            (_pause, _failed) = (TimeSpan.Zero, 0);
        }
        catch (Exception e) when (e is RpcException or ClusterCallException or HttpRequestException or IOException or OperationCanceledException or InvalidOperationException or TimeoutException)
        {
            Counts.Drop(entries.Count);
            Counts.Fail();
            if (_pause == TimeSpan.Zero)
            {
                Log.Failed(_logger, _name, e.Message);
            }

            _pause = _pause == TimeSpan.Zero ? LeastPause : _pause * 2 < MostPause ? _pause * 2 : MostPause;
            _failed = _time.GetTimestamp();
            await CloseAsync().ConfigureAwait(false);
        }
    }

    // Entries come again and again: the cluster stays subscribed between them.
    private void Hold()
    {
        if (_hold is null)
        {
            var calls = _calls();
            lock (calls.Sync)
            {
                _hold = calls.Hold([Collector.Target.Cluster], static () => { });
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3, LogLevel.Warning, "The access log {Name} is not taken by its collector: {Reason} Entries are dropped until it is; requests are not touched.")]
        public static partial void Failed(ILogger logger, string name, string reason);

        [LoggerMessage(4, LogLevel.Information, "The access log {Name} is taken by its collector again; {Dropped} entries were dropped.")]
        public static partial void Recovered(ILogger logger, string name, long dropped);
    }
}
