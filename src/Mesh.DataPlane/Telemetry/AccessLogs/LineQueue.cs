namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>
/// Lines on their way out, in chunks: a line is copied into the chunk that is open, without a lock and without waiting, and chunks are written whole
/// when they are full or their first line has waited long enough. What finds no room is dropped.
/// </summary>
internal sealed class LineQueue : IAsyncDisposable
{
    // As many as are filled while one is written.
    private const int MaxSpare = 2;

    private readonly Lock _sync = new();
    private readonly Queue<LineChunk> _full = [];
    private readonly Stack<LineChunk> _spare = [];
    private readonly LogQueueSettings _settings;
    private readonly Func<LineChunk, CancellationToken, Task> _write;
    private readonly Action<int> _drop;
    private readonly LogFlush _flush;
    private LineChunk _open = LineChunk.None;
    private long _waiting;

    /// <param name="settings">When, and how many.</param>
    /// <param name="time">The clock.</param>
    /// <param name="write">Writes a chunk; one call at a time, and none that throws.</param>
    /// <param name="drop">Is told of so many lines that found no room.</param>
    public LineQueue(LogQueueSettings settings, TimeProvider time, Func<LineChunk, CancellationToken, Task> write, Action<int> drop)
    {
        (_settings, _write, _drop) = (settings, write, drop);
        _flush = new LogFlush(settings.FlushInterval, time, DrainAsync);
    }

    /// <summary>Takes a line, or drops it where there is no room.</summary>
    public void Add(ReadOnlySpan<byte> line)
    {
        while (true)
        {
            var chunk = Volatile.Read(ref _open);
            switch (chunk.TryAdd(line, _settings.MaxBytes - Volatile.Read(ref _waiting)))
            {
                case LinePlace.Taken:
                    _flush.Arm();
                    return;
                case LinePlace.Full when TryChange(chunk, line.Length):
                    continue;
                default:
                    _drop(1);
                    return;
            }
        }
    }

    /// <summary>Writes all that is there now.</summary>
    /// <exception cref="OperationCanceledException">It was given up; what is left stays.</exception>
    public Task FlushAsync(CancellationToken cancellationToken) => _flush.FlushAsync(cancellationToken);

    /// <summary>Ends; what is still there is dropped.</summary>
    public async ValueTask DisposeAsync()
    {
        await _flush.DisposeAsync().ConfigureAwait(false);
        lock (_sync)
        {
            Close();
            while (_full.TryDequeue(out var left))
            {
                _drop(left.Lines);
            }
        }
    }

    // The lock is taken once a chunk, and nobody waits within it.
    private bool TryChange(LineChunk full, int length)
    {
        lock (_sync)
        {
            if (_open != full)
            {
                return true;
            }

            if (_flush.HasEnded || length > _settings.MaxBytes - _waiting - full.Length)
            {
                return false;
            }

            Close();
            Volatile.Write(ref _open, length <= _settings.FlushBytes ? Spare() : new LineChunk(length));
        }

        if (full.Lines > 0)
        {
            _flush.Wake();
        }

        return true;
    }

    private LineChunk Spare()
    {
        if (!_spare.TryPop(out var chunk))
        {
            return new LineChunk(_settings.FlushBytes);
        }

        chunk.Reset();
        return chunk;
    }

    // A quiet output keeps no chunk open.
    private void Close()
    {
        _open.Seal();
        if (_open.Lines > 0)
        {
            _full.Enqueue(_open);
            _waiting += _open.Length;
        }

        Volatile.Write(ref _open, LineChunk.None);
    }

    private async Task DrainAsync(bool all, CancellationToken cancellationToken)
    {
        int left;
        lock (_sync)
        {
            if (all)
            {
                Close();
            }

            left = _full.Count;
        }

        // As many as there are at the beginning: with somebody who adds without end there would be no end here.
        for (; left > 0; left--)
        {
            cancellationToken.ThrowIfCancellationRequested();
            LineChunk chunk;
            lock (_sync)
            {
                chunk = _full.Dequeue();
            }

            chunk.Settle();
            try
            {
                await _write(chunk, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                lock (_sync)
                {
                    _waiting -= chunk.Length;
                    if (chunk.Capacity == _settings.FlushBytes && _spare.Count < MaxSpare)
                    {
                        _spare.Push(chunk);
                    }
                }
            }
        }
    }
}
