namespace Mesh.Client.Tests;

/// <summary>The system's clock, by whose reading a test learns that the engine has come to a certain point, and acts there.</summary>
internal sealed class TrippingTime : TimeProvider
{
    private Action? _onTimer;
    private Action? _onTimestamp;

    /// <summary>Runs once, before the next timer is made.</summary>
    public void BeforeNextTimer(Action action) => Volatile.Write(ref _onTimer, action);

    /// <summary>Runs once, before the next timestamp is read.</summary>
    public void BeforeNextTimestamp(Action action) => Volatile.Write(ref _onTimestamp, action);

    public override long GetTimestamp()
    {
        Interlocked.Exchange(ref _onTimestamp, null)?.Invoke();
        return base.GetTimestamp();
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Interlocked.Exchange(ref _onTimer, null)?.Invoke();
        return base.CreateTimer(callback, state, dueTime, period);
    }
}
