using System.Collections.Concurrent;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>
/// Entries on their way out: taken without a lock and without waiting, as many as have room, and given on together, in their order, when enough
/// of them are there or the first has waited long enough.
/// </summary>
/// <typeparam name="T">The entry.</typeparam>
internal sealed class LogQueue<T> : IAsyncDisposable
{
    private readonly ConcurrentQueue<(T Entry, int Bytes)> _entries = new();
    private readonly List<T> _batch = [];
    private readonly LogQueueSettings _settings;
    private readonly Func<List<T>, CancellationToken, Task> _write;
    private readonly Action<T> _drop;
    private readonly LogFlush _flush;
    private long _bytes;

    /// <param name="settings">When, and how many.</param>
    /// <param name="time">The clock.</param>
    /// <param name="write">Gives entries on; one call at a time, and none that throws but for its cancellation.</param>
    /// <param name="drop">Is told of an entry that found no room.</param>
    public LogQueue(LogQueueSettings settings, TimeProvider time, Func<List<T>, CancellationToken, Task> write, Action<T> drop)
    {
        (_settings, _write, _drop) = (settings, write, drop);
        _flush = new LogFlush(settings.FlushInterval, time, DrainAsync);
    }

    /// <summary>The bytes that wait.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Takes an entry, or drops it where there is no room. Never waits.</summary>
    public void Add(T entry, int bytes)
    {
        var waiting = Interlocked.Add(ref _bytes, bytes);
        if (waiting > _settings.MaxBytes || _flush.HasEnded)
        {
            Interlocked.Add(ref _bytes, -bytes);
            _drop(entry);
            return;
        }

        _entries.Enqueue((entry, bytes));
        if (waiting >= _settings.FlushBytes)
        {
            _flush.Wake();
        }
        else
        {
            _flush.Arm();
        }
    }

    /// <summary>Gives on all that is there now.</summary>
    /// <exception cref="OperationCanceledException">It was given up; what is left stays.</exception>
    public Task FlushAsync(CancellationToken cancellationToken) => _flush.FlushAsync(cancellationToken);

    /// <summary>Ends; what is still there is dropped.</summary>
    public async ValueTask DisposeAsync()
    {
        await _flush.DisposeAsync().ConfigureAwait(false);
        while (_entries.TryDequeue(out var left))
        {
            Interlocked.Add(ref _bytes, -left.Bytes);
            _drop(left.Entry);
        }
    }

    private async Task DrainAsync(bool all, CancellationToken cancellationToken)
    {
        // As many as there are at the beginning: with somebody who adds without end there would be no end here.
        for (var left = _entries.Count; left > 0;)
        {
            var bytes = 0L;
            while (left > 0 && bytes < _settings.BatchBytes && _entries.TryDequeue(out var next))
            {
                left--;
                bytes += next.Bytes;
                _batch.Add(next.Entry);
            }

            if (_batch.Count == 0)
            {
                return;
            }

            try
            {
                await _write(_batch, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                Interlocked.Add(ref _bytes, -bytes);
                _batch.Clear();
            }
        }
    }
}
