namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>
/// When entries that wait are given on, by one at a time and far from any request: all of them when the first has waited long enough, and those that
/// are worth it as soon as enough of them are there.
/// </summary>
internal sealed class LogFlush : IAsyncDisposable
{
    private readonly SemaphoreSlim _one = new(1);
    private readonly CancellationTokenSource _ended = new();
    private readonly TimeSpan _interval;
    private readonly Func<bool, CancellationToken, Task> _drain;
    private readonly ITimer _timer;
    private int _armed;
    private int _woken;

    /// <param name="interval">The longest wait for others.</param>
    /// <param name="time">The clock.</param>
    /// <param name="drain">Gives on what is there: all of it, or what need not wait for more.</param>
    public LogFlush(TimeSpan interval, TimeProvider time, Func<bool, CancellationToken, Task> drain)
    {
        (_interval, _drain) = (interval, drain);
        _timer = time.CreateTimer(
            static flush => ThreadPool.UnsafeQueueUserWorkItem(static flush => _ = flush.RunAsync(isTime: true), (LogFlush)flush!, preferLocal: false),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    public bool HasEnded => _ended.IsCancellationRequested;

    /// <summary>Something waits.</summary>
    public void Arm()
    {
        if (Volatile.Read(ref _armed) == 0 && Interlocked.Exchange(ref _armed, 1) == 0)
        {
            _timer.Change(_interval, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Enough waits.</summary>
    public void Wake()
    {
        if (Volatile.Read(ref _woken) == 0 && Interlocked.Exchange(ref _woken, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static flush => _ = flush.RunAsync(isTime: false), this, preferLocal: false);
        }
    }

    /// <summary>Gives on all that is there now; after the end there is nothing.</summary>
    /// <exception cref="OperationCanceledException">It was given up; what is left stays.</exception>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!HasEnded)
            {
                await _drain(true, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Nothing is given on afterwards, and nobody is at it any more.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_ended.IsCancellationRequested)
        {
            return;
        }

        await _ended.CancelAsync().ConfigureAwait(false);
        await _timer.DisposeAsync().ConfigureAwait(false);

        // Whoever waits for his turn gets it, and finds that it is over.
        await _one.WaitAsync().ConfigureAwait(false);
        _one.Release();
    }

    private async Task RunAsync(bool isTime)
    {
        try
        {
            await _one.WaitAsync(_ended.Token).ConfigureAwait(false);
            try
            {
                // Whoever comes from here on wakes somebody again.
                Volatile.Write(ref isTime ? ref _armed : ref _woken, 0);
                await _drain(isTime, _ended.Token).ConfigureAwait(false);
            }
            finally
            {
                _one.Release();
            }
        }
        catch (OperationCanceledException)
        {
            Volatile.Write(ref isTime ? ref _armed : ref _woken, 0);
        }
    }
}
