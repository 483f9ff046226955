using Mesh.Testing;

namespace Mesh.ControlPlane.Tests.Reading;

/// <summary>Time that moves only when told, and that tells when a timer is set: the moment when an event of the file system was heard.</summary>
internal sealed class TestClock : TimeProvider
{
    private readonly ManualTimeProvider _time = new();
    private readonly Lock _lock = new();
    private readonly List<ClockTimer> _timers = [];
    private readonly List<(TimeSpan Within, TaskCompletionSource Heard)> _waiting = [];

    public override DateTimeOffset GetUtcNow() => _time.GetUtcNow();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ClockTimer(this, _time.CreateTimer(callback, state, dueTime, period));
        lock (_lock)
        {
            _timers.Add(timer);
        }

        return timer;
    }

    public void Advance(TimeSpan by) => _time.Advance(by);

    /// <summary>Ends when a timer is due within <paramref name="within"/> of now.</summary>
    public Task TimerWithin(TimeSpan within)
    {
        lock (_lock)
        {
            if (_timers.Any(t => t.Due is { } due && due >= GetUtcNow() && due - GetUtcNow() <= within))
            {
                return Task.CompletedTask;
            }

            var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((within, heard));
            return heard.Task.WaitAsync(TimeSpan.FromSeconds(30));
        }
    }

    private void Set(ClockTimer timer, TimeSpan dueTime)
    {
        lock (_lock)
        {
            timer.Due = dueTime == Timeout.InfiniteTimeSpan ? null : GetUtcNow() + dueTime;
            foreach (var waiting in _waiting.Where(w => timer.Due is not null && dueTime <= w.Within).ToArray())
            {
                _waiting.Remove(waiting);
                waiting.Heard.SetResult();
            }
        }
    }

    private sealed class ClockTimer(TestClock clock, ITimer inner) : ITimer
    {
        public DateTimeOffset? Due { get; set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var changed = inner.Change(dueTime, period);
            clock.Set(this, dueTime);
            return changed;
        }

        public void Dispose() => inner.Dispose();

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
