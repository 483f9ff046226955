using Mesh.Testing;

namespace Mesh.DataPlane.Tests;

/// <summary>
/// A clock whose next timer is due before the thread that sets it goes on, if it is due soon enough: that thread may be held up, and timers fire on others.
/// The rest is the manual clock's.
/// </summary>
internal sealed class HastyTime(ManualTimeProvider inner, TimeSpan soon) : TimeProvider
{
    private bool _isOver;

    public override long TimestampFrequency => inner.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => inner.GetUtcNow();

    public override long GetTimestamp() => inner.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = inner.CreateTimer(callback, state, dueTime, period);
        Pass(dueTime);
        return new Timer(this, timer);
    }

    private void Pass(TimeSpan dueTime)
    {
        if (!_isOver && dueTime >= TimeSpan.Zero && dueTime <= soon)
        {
            _isOver = true;
            inner.Advance(dueTime);
        }
    }

    private sealed class Timer(HastyTime time, ITimer inner) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var isSet = inner.Change(dueTime, period);
            time.Pass(dueTime);
            return isSet;
        }

        public void Dispose() => inner.Dispose();

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
