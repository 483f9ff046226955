namespace Mesh.Testing;

/// <summary>A clock that stands still until it is told to move; timers fire on the thread that moves it, in the order in which they are due.</summary>
/// <remarks>
/// It moves what takes a <see cref="TimeProvider"/>: the timers, deadlines, back-offs and expiries of the mesh. It cannot move what
/// reads the system's clock by itself, such as <see cref="HttpClient.Timeout"/>, sockets, or the validation of certificates.
/// </remarks>
public sealed class ManualTimeProvider : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly SortedSet<ManualTimer> _timers = new(DueOrder.Instance);
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiters = [];
    private readonly List<(long Due, int Count, TaskCompletionSource Reached)> _waitersForDue = [];
    private readonly DateTimeOffset _start;
    private long _elapsed;

    // Zero is a timer that has never been set, and must not be taken for one that was.
    private long _sequence = 1;

    /// <summary>A clock that stands at the given moment.</summary>
    /// <param name="start">Where it stands; without one at midnight on 1 January 2000, UTC.</param>
    public ManualTimeProvider(DateTimeOffset? start = null)
        => _start = start ?? new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>How many timers are waiting to fire.</summary>
    public int ActiveTimers
    {
        get
        {
            lock (_gate)
            {
                return _timers.Count;
            }
        }
    }

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>The time zone of the clock: UTC.</summary>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => _start.AddTicks(Volatile.Read(ref _elapsed));

    /// <inheritdoc/>
    public override long GetTimestamp() => Volatile.Read(ref _elapsed);

    /// <summary>
    /// Moves the clock forward and fires every timer that becomes due, earliest first, those of the same moment in the order in which they
    /// were set. While a timer's callback runs, the clock shows the moment the timer was due; timers that it sets fire as well if they are
    /// due before the end.
    /// </summary>
    /// <param name="by">How far.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="by"/> is negative.</exception>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        long end;
        lock (_gate)
        {
            end = _elapsed + by.Ticks;
        }

        while (TakeDue(end) is { } timer)
        {
            timer.Fire();
        }
    }

    /// <summary>Completes when at least that many timers are waiting: the moment to <see cref="Advance"/>, when another thread is about to set them.</summary>
    /// <param name="count">How many.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task WaitForTimersAsync(int count, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            if (_timers.Count >= count)
            {
                return Task.CompletedTask;
            }

            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((count, reached));
            return reached.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Completes when a timer is waiting that is due in exactly that long: the moment to <see cref="Advance"/> by it, when another thread is about to
    /// wait for it and the clock is to stand still for everybody else.
    /// </summary>
    /// <param name="due">From the moment at which the clock stands now.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task WaitForTimerAsync(TimeSpan due, CancellationToken cancellationToken = default) => WaitForTimersAsync(1, due, cancellationToken);

    /// <summary>Completes when so many timers are waiting that are due in exactly that long, however many others there are.</summary>
    internal Task WaitForTimersAsync(int count, TimeSpan due, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            var at = _elapsed + due.Ticks;
            if (CountDue(at) >= count)
            {
                return Task.CompletedTask;
            }

            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waitersForDue.Add((at, count, reached));
            return reached.Task.WaitAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private ManualTimer? TakeDue(long end)
    {
        lock (_gate)
        {
            if (_timers.Min is not { } timer || timer.Due > end)
            {
                Volatile.Write(ref _elapsed, Math.Max(_elapsed, end));
                return null;
            }

            _timers.Remove(timer);
            Volatile.Write(ref _elapsed, Math.Max(_elapsed, timer.Due));
            if (timer.Period > 0)
            {
                Schedule(timer, timer.Due + timer.Period);
            }

            return timer;
        }
    }

    private bool Change(ManualTimer timer, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dueTime, Timeout.InfiniteTimeSpan);
        ArgumentOutOfRangeException.ThrowIfLessThan(period, Timeout.InfiniteTimeSpan);
        lock (_gate)
        {
            if (timer.IsDisposed)
            {
                return false;
            }

            _timers.Remove(timer);
            timer.Period = Math.Max(period.Ticks, 0);
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                Schedule(timer, _elapsed + dueTime.Ticks);
            }

            return true;
        }
    }

    private void Schedule(ManualTimer timer, long due)
    {
        timer.Due = due;
        timer.Sequence = _sequence++;
        _timers.Add(timer);
        for (var i = _waiters.Count - 1; i >= 0; i--)
        {
            if (_timers.Count >= _waiters[i].Count)
            {
                _waiters[i].Reached.TrySetResult();
                _waiters.RemoveAt(i);
            }
        }

        for (var i = _waitersForDue.Count - 1; i >= 0; i--)
        {
            if (_waitersForDue[i].Due == due && CountDue(due) >= _waitersForDue[i].Count)
            {
                _waitersForDue[i].Reached.TrySetResult();
                _waitersForDue.RemoveAt(i);
            }
        }
    }

    private int CountDue(long due) => _timers.Count(timer => timer.Due == due);

    private void Remove(ManualTimer timer)
    {
        lock (_gate)
        {
            timer.IsDisposed = true;
            _timers.Remove(timer);
        }
    }

    private sealed class ManualTimer(ManualTimeProvider clock, TimerCallback callback, object? state) : ITimer
    {
        public long Due { get; set; }

        public long Sequence { get; set; }

        public long Period { get; set; }

        public bool IsDisposed { get; set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period) => clock.Change(this, dueTime, period);

        public void Dispose() => clock.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private sealed class DueOrder : IComparer<ManualTimer>
    {
        public static DueOrder Instance { get; } = new();

        public int Compare(ManualTimer? x, ManualTimer? y)
            => x!.Due != y!.Due ? x.Due.CompareTo(y.Due) : x.Sequence.CompareTo(y.Sequence);
    }
}
