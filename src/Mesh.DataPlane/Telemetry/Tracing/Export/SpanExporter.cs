using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Telemetry.Tracing.Export;

/// <summary>
/// Sends spans to a collector, in batches and by a task of its own: requests only put them into a bounded queue, and what finds it full is counted
/// and lost. A batch that cannot be sent is lost as well; the next one is tried anew.
/// </summary>
internal sealed partial class SpanExporter : IDisposable
{
    /// <summary>Spans that may wait.</summary>
    public const int MaxQueued = 2048;

    /// <summary>Spans that are sent at once.</summary>
    public const int MaxBatch = 512;

    /// <summary>How long a span waits for others.</summary>
    public static readonly TimeSpan FlushInterval = TimeSpan.FromSeconds(1);

    // An exporter that nobody uses holds no cluster.
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromMinutes(1);

    private readonly Channel<FinishedSpan> _queue = Channel.CreateBounded<FinishedSpan>(new BoundedChannelOptions(MaxQueued) { SingleReader = true });
    private readonly SpanSender _sender;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _sync = new();
    private TaskCompletionSource _hurry = NewSignal();
    private TaskCompletionSource? _drained;
    private Task? _pump;
    private bool _failing;
    private long _sent;
    private long _dropped;
    private long _failed;
    private long _pending;

    public SpanExporter(SpanSender sender, TimeProvider time, ILogger logger) => (_sender, _time, _logger) = (sender, time, logger);

    /// <summary>Spans that a collector has taken.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Spans that found the queue full.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Spans that were sent in vain.</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>It has nothing to send.</summary>
    public bool IsIdle => Volatile.Read(ref _pending) == 0;

    /// <summary>Takes a span; never waits.</summary>
    public void Add(FinishedSpan span)
    {
        Interlocked.Increment(ref _pending);
        if (!_queue.Writer.TryWrite(span))
        {
            Interlocked.Decrement(ref _pending);
            Interlocked.Increment(ref _dropped);
            if (Volatile.Read(ref _drained) is not null)
            {
                // The queue may have been emptied in the meantime, and this span was all that a flush still waits for.
                TellDrained();
            }

            return;
        }

        if (Volatile.Read(ref _pump) is null)
        {
            Start();
        }

        if (_queue.Reader.Count >= MaxBatch)
        {
            Volatile.Read(ref _hurry).TrySetResult();
        }
    }

    /// <summary>Sends what waits, as at the end of the process.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource drained;
        lock (_sync)
        {
            drained = _drained ??= NewSignal();
        }

        TellDrained();
        Volatile.Read(ref _hurry).TrySetResult();
        await drained.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => _stopping.Cancel();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Start()
    {
        lock (_sync)
        {
            if (_pump is not null || _stopping.IsCancellationRequested)
            {
                return;
            }

            // A request's context and span are not the exporter's.
            using (ExecutionContext.SuppressFlow())
            {
                _pump = Task.Run(PumpAsync);
            }
        }
    }

    private async Task PumpAsync()
    {
        OwnConnections.Mark();
        using var session = _sender.Begin();
        try
        {
            while (await WaitAsync().ConfigureAwait(false))
            {
                await FlushOnceAsync().ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The process ends.
        }
    }

    // Until there are spans, and others had time to join them; false when the exporter has nothing to do.
    private async Task<bool> WaitAsync()
    {
        using (var idle = new CancellationTokenSource(IdleTimeout, _time))
        using (var either = CancellationTokenSource.CreateLinkedTokenSource(idle.Token, _stopping.Token))
        {
            try
            {
                await _queue.Reader.WaitToReadAsync(either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!_stopping.IsCancellationRequested)
            {
                return !TryRest();
            }
        }

        var hurry = Volatile.Read(ref _hurry);
        try
        {
            await hurry.Task.WaitAsync(FlushInterval, _time, _stopping.Token).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Nobody else came.
        }

        Volatile.Write(ref _hurry, NewSignal());
        return true;
    }

    private bool TryRest()
    {
        lock (_sync)
        {
            Volatile.Write(ref _pump, null);
        }

        // Whoever came between saw a pump and did not start one.
        if (_queue.Reader.Count > 0)
        {
            Start();
        }

        return true;
    }

    private async Task FlushOnceAsync()
    {
        var batch = new List<FinishedSpan>();
        while (batch.Count < MaxBatch && _queue.Reader.TryRead(out var span))
        {
            batch.Add(span);
        }

        if (batch.Count == 0)
        {
            return;
        }

        try
        {
            var rejected = await _sender.SendAsync(batch, _stopping.Token).ConfigureAwait(false);
            Interlocked.Add(ref _sent, batch.Count - rejected);
            Interlocked.Add(ref _failed, rejected);
            if (_failing)
            {
                _failing = false;
                Log.Recovered(_logger, _sender.Address);
            }
        }
        catch (Exception e) when (!_stopping.IsCancellationRequested)
        {
            // Whatever it is, the application has nothing to do with it.
            Interlocked.Add(ref _failed, batch.Count);
            if (!_failing)
            {
                _failing = true;
                Log.Failed(_logger, _sender.Address, batch.Count, e.Message);
            }
        }
        finally
        {
            Interlocked.Add(ref _pending, -batch.Count);
            TellDrained();
            if (_queue.Reader.Count > 0)
            {
                Volatile.Read(ref _hurry).TrySetResult();
            }
        }
    }

    private void TellDrained()
    {
        lock (_sync)
        {
            if (IsIdle)
            {
                _drained?.TrySetResult();
                _drained = null;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "The collector {Address} did not take {Count} spans, which are lost: {Reason} Further losses are counted and not told.")]
        public static partial void Failed(ILogger logger, string address, int count, string reason);

        [LoggerMessage(EventId = 2, Level = LogLevel.Information, Message = "The collector {Address} takes spans again.")]
        public static partial void Recovered(ILogger logger, string address);
    }
}
