namespace Mesh.ControlPlane.Discovery;

/// <summary>Runs an action when nothing has been announced for a while, or when announcements have gone on for too long.</summary>
internal sealed class Debouncer : IDisposable
{
    private readonly object _gate = new();
    private readonly TimeSpan _quiet;
    private readonly TimeSpan _max;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Action _action;
    private long? _first;

    public Debouncer(TimeSpan quiet, TimeSpan max, TimeProvider time, Action action)
    {
        _quiet = quiet;
        _max = max;
        _time = time;
        _action = action;
        _timer = time.CreateTimer(static state => ((Debouncer)state!).Run(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Something happened.</summary>
    public void Announce()
    {
        if (_quiet == TimeSpan.Zero)
        {
            // Not on the caller's stack: it may hold a lock. Not by a timer: time may stand still.
            ThreadPool.QueueUserWorkItem(static action => action(), _action, preferLocal: false);
            return;
        }

        lock (_gate)
        {
            var now = _time.GetTimestamp();
            _first ??= now;
            var left = _max - _time.GetElapsedTime(_first.Value, now);
            var due = left < _quiet ? left : _quiet;
            _timer.Change(due > TimeSpan.Zero ? due : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Run()
    {
        lock (_gate)
        {
            _first = null;
        }

        _action();
    }
}
