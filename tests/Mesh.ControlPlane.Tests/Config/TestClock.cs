namespace Mesh.ControlPlane.Tests.Reading;

/// <summary>Time that moves only when told, and tells when a timer is set.</summary>
internal sealed class TestClock : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<ClockTimer> _timers = [];
    private readonly List<(TimeSpan Within, TaskCompletionSource Heard)> _waiting = [];
    private DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            return _now;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ClockTimer(this, callback, state);
        timer.Change(dueTime, period);
        lock (_lock)
        {
            _timers.Add(timer);
        }

        return timer;
    }

    /// <summary>Moves time and runs what becomes due on this thread, in order.</summary>
    public void Advance(TimeSpan by)
    {
        var end = GetUtcNow() + by;
        while (true)
        {
            ClockTimer? next;
            lock (_lock)
            {
                next = _timers.Where(t => t.Due <= end).MinBy(t => t.Due);
                _now = next is null ? end : next.Due > _now ? next.Due : _now;
                next?.Due = DateTimeOffset.MaxValue;
            }

            if (next is null)
            {
                return;
            }

            next.Run();
        }
    }

    /// <summary>Ends when a timer is due within <paramref name="within"/> of now.</summary>
    public Task TimerWithin(TimeSpan within)
    {
        lock (_lock)
        {
            if (_timers.Any(t => t.Due - _now <= within))
            {
                return Task.CompletedTask;
            }

            var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((within, heard));
            return heard.Task.WaitAsync(TimeSpan.FromSeconds(30));
        }
    }

    private sealed class ClockTimer(TestClock clock, TimerCallback callback, object? state) : ITimer
    {
        public DateTimeOffset Due { get; set; } = DateTimeOffset.MaxValue;

        public void Run() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._lock)
            {
                Due = dueTime == Timeout.InfiniteTimeSpan ? DateTimeOffset.MaxValue : clock._now + dueTime;
                foreach (var waiting in clock._waiting.Where(w => dueTime != Timeout.InfiniteTimeSpan && dueTime <= w.Within).ToArray())
                {
                    clock._waiting.Remove(waiting);
                    waiting.Heard.SetResult();
                }
            }

            return true;
        }

        public void Dispose()
        {
            lock (clock._lock)
            {
                clock._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
