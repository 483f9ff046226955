namespace Mesh.DataPlane.Timeouts;

/// <summary>
/// The deadlines of one attempt and the token that they cancel. Pooled with its timer: a deadline is a time stamp, and the timer is set anew only
/// when it would fire too late, so that a request that keeps its deadlines costs no timer operation at all.
/// </summary>
internal sealed class RequestClock
{
    private const int MaxPooled = 32;
    private const long Never = long.MaxValue;
    private const long PhaseMask = 3;
    private const long Active = 1;
    private const long Fired = 2;

    [ThreadStatic]
    private static RequestClock?[]? _pool;

    [ThreadStatic]
    private static int _pooled;

    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _source = new();
    private readonly long[] _deadlines = new long[(int)TimeoutCause.UpstreamMaxStreamDuration + 1];
    private readonly ITimer _timer;
    private CancellationTokenRegistration _caller;

    // Weak: the timer keeps its clock alive, and a response that nobody holds any more has to be found by its finalizer.
    private readonly WeakReference<IExpiring?> _expiring = new(null);
    private long _idle;
    private long _lastActivity;
    private long _armed = Never;
    private TimeSpan _pendingRoute;
    private TimeSpan _pendingTry;

    // The generation above two bits of phase: a timer that was on its way when the clock was reused meets another generation.
    private long _state;
    private int _cause;
    private bool _isExpected;

    private RequestClock(TimeProvider time)
    {
        _time = time;
        Array.Fill(_deadlines, Never);
        _timer = time.CreateTimer(static clock => ((RequestClock)clock!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Someone who has to be told when time is up, because nobody may be waiting on the token.</summary>
    internal interface IExpiring
    {
        void OnExpired();
    }

    public CancellationToken Token => _source.Token;

    /// <summary>Why the token was cancelled.</summary>
    public TimeoutCause Cause => (TimeoutCause)Volatile.Read(ref _cause);

    public long Now => _time.GetTimestamp();

    /// <summary>A clock without deadlines that ends with the caller's token.</summary>
    public static RequestClock Begin(TimeProvider time, CancellationToken caller)
    {
        RequestClock? clock = null;
        if (_pooled > 0)
        {
            clock = _pool![--_pooled]!;
            _pool[_pooled] = null;
            if (clock._time != time)
            {
                clock._timer.Dispose();
                clock = null;
            }
        }

        clock ??= new RequestClock(time);
        Interlocked.Exchange(ref clock._state, (clock._state & ~PhaseMask) | Active);
        if (caller.CanBeCanceled)
        {
            clock._caller = caller.UnsafeRegister(static clock => ((RequestClock)clock!).Fire(TimeoutCause.Caller), clock);
        }

        return clock;
    }

    /// <summary>Sets a deadline so far from now; zero is none.</summary>
    public void Start(TimeoutCause cause, TimeSpan timeout)
    {
        if (timeout > TimeSpan.Zero)
        {
            SetDeadline(cause, Add(Now, timeout));
        }
    }

    /// <summary>What <see cref="StartPending"/> starts; begins at once when there is nothing to wait for.</summary>
    public void Prepare(TimeSpan route, TimeSpan perTry)
    {
        _pendingRoute = route;
        _pendingTry = perTry;
    }

    /// <summary>The request has gone out: Envoy's route and per-try timeouts count from here.</summary>
    public void StartPending()
    {
        if (_pendingRoute <= TimeSpan.Zero && _pendingTry <= TimeSpan.Zero)
        {
            return;
        }

        // One look at the clock for both.
        var now = Now;
        if (_pendingRoute > TimeSpan.Zero)
        {
            Interlocked.Exchange(ref _deadlines[(int)TimeoutCause.Route], Add(now, _pendingRoute));
        }

        if (_pendingTry > TimeSpan.Zero)
        {
            Interlocked.Exchange(ref _deadlines[(int)TimeoutCause.PerTry], Add(now, _pendingTry));
        }

        _pendingRoute = _pendingTry = TimeSpan.Zero;
        Arm();
    }

    /// <summary>Sets a deadline that began earlier.</summary>
    public void SetDeadline(TimeoutCause cause, long timestamp)
    {
        Interlocked.Exchange(ref _deadlines[(int)cause], timestamp);
        Arm();
    }

    public void Stop(TimeoutCause cause) => Volatile.Write(ref _deadlines[(int)cause], Never);

    /// <summary>Lets the stream expire when nothing moves for so long.</summary>
    public void StartIdle(TimeoutCause cause, TimeSpan timeout)
    {
        if (timeout > TimeSpan.Zero)
        {
            _idle = Add(0, timeout);
            Volatile.Write(ref _lastActivity, Now);
            SetDeadline(cause, _lastActivity + _idle);
        }
    }

    /// <summary>Whether it matters that something moves.</summary>
    public bool HasIdle => _idle > 0;

    /// <summary>Something moved.</summary>
    public void Touch()
    {
        if (_idle > 0)
        {
            Volatile.Write(ref _lastActivity, Now);
        }
    }

    /// <summary>The deadline of a cause, to be carried over to the next attempt's clock.</summary>
    public long DeadlineOf(TimeoutCause cause) => Volatile.Read(ref _deadlines[(int)cause]);

    public bool HasDeadline
    {
        get
        {
            foreach (var deadline in _deadlines)
            {
                if (deadline != Never)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Tells <paramref name="expiring"/> when a deadline passes, at once if one has.</summary>
    public void Notify(IExpiring expiring)
    {
        _expiring.SetTarget(expiring);
        Interlocked.MemoryBarrier();
        if (_source.IsCancellationRequested)
        {
            expiring.OnExpired();
        }
    }

    /// <summary>The caller's token no longer ends the stream.</summary>
    public void LeaveCaller()
    {
        if (_caller.Unregister())
        {
            _caller = default;
        }
    }

    /// <summary>While <paramref name="reader"/> is cancelled, so is the stream.</summary>
    public CancellationTokenRegistration CancelWith(CancellationToken reader)
        => reader.CanBeCanceled ? reader.UnsafeRegister(static clock => ((RequestClock)clock!).Fire(TimeoutCause.Caller), this) : default;

    /// <summary>Ends <see cref="CancelWith"/>, before whoever reads lets go of the clock.</summary>
    public void Release(CancellationTokenRegistration registration)
    {
        // A callback that is on its way ends whatever the clock is used for when it arrives.
        _isExpected |= registration != default && !registration.Unregister();
    }

    /// <summary>Ends the clock; the caller must not touch it afterwards.</summary>
    /// <param name="reuse">Nobody else may still be looking at it.</param>
    public void End(bool reuse = true)
    {
        // A response that nobody held took its clock along: then the weak reference has been finalized, and must not be written any more.
        if (reuse)
        {
            _expiring.SetTarget(null);
        }

        var state = Volatile.Read(ref _state);
        var next = ((state | PhaseMask) + 1) & ~PhaseMask;
        var reusable = (state & PhaseMask) == Active && Interlocked.CompareExchange(ref _state, next, state) == state;

        // A callback that is running already may not be waited for, and its clock not be used again.
        reusable &= _caller == default || _caller.Unregister();
        _caller = default;
        Array.Fill(_deadlines, Never);
        _idle = 0;
        _pendingRoute = _pendingTry = TimeSpan.Zero;
        if (reuse && reusable && !_isExpected && _pooled < MaxPooled && _source.TryReset())
        {
            (_pool ??= new RequestClock?[MaxPooled])[_pooled++] = this;
        }
        else
        {
            _timer.Dispose();
        }
    }

    private static long Add(long timestamp, TimeSpan timeout, long frequency)
    {
        var ticks = (Int128)timeout.Ticks * frequency / TimeSpan.TicksPerSecond;
        return (long)Int128.Min(timestamp + ticks, Never - 1);
    }

    private long Add(long timestamp, TimeSpan timeout) => Add(timestamp, timeout, _time.TimestampFrequency);

    private void OnTimer()
    {
        // Whoever sets a deadline from now on has to arm again; then look, so that one set before is not missed.
        Interlocked.Exchange(ref _armed, Never);
        var state = Volatile.Read(ref _state);
        if ((state & PhaseMask) != Active)
        {
            return;
        }

        var now = Now;
        for (var cause = TimeoutCause.Route; cause <= TimeoutCause.UpstreamMaxStreamDuration; cause++)
        {
            var deadline = Volatile.Read(ref _deadlines[(int)cause]);
            if (deadline > now)
            {
                continue;
            }

            if (cause is TimeoutCause.Idle or TimeoutCause.PerTryIdle && Volatile.Read(ref _lastActivity) + _idle is var moved && moved > now)
            {
                Interlocked.CompareExchange(ref _deadlines[(int)cause], moved, deadline);
                continue;
            }

            Fire(cause, state);
            return;
        }

        Arm();
    }

    // Both sides may arm at the same time; whoever comes last looks once more whether it armed too late.
    private void Arm()
    {
        while (true)
        {
            var earliest = Earliest();
            if (earliest == Never || Interlocked.Read(ref _armed) <= earliest)
            {
                return;
            }

            Interlocked.Exchange(ref _armed, earliest);
            var due = _time.GetElapsedTime(Now, earliest);
            _timer.Change(due < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : Whole(due), Timeout.InfiniteTimeSpan);
            Interlocked.MemoryBarrier();
            if (Earliest() >= earliest)
            {
                return;
            }

            Interlocked.Exchange(ref _armed, Never);
        }
    }

    // Timers count whole milliseconds and fire early otherwise.
    private static TimeSpan Whole(TimeSpan due)
        => due.TotalMilliseconds >= 4_294_967_294 ? TimeSpan.FromMilliseconds(4_294_967_294) : TimeSpan.FromMilliseconds(Math.Ceiling(due.TotalMilliseconds));

    private long Earliest()
    {
        var earliest = Never;
        foreach (ref var deadline in _deadlines.AsSpan())
        {
            earliest = Math.Min(earliest, Volatile.Read(ref deadline));
        }

        return earliest;
    }

    private void Fire(TimeoutCause cause) => Fire(cause, Volatile.Read(ref _state));

    private void Fire(TimeoutCause cause, long state)
    {
        if ((state & PhaseMask) != Active || Interlocked.CompareExchange(ref _state, (state & ~PhaseMask) | Fired, state) != state)
        {
            return;
        }

        Volatile.Write(ref _cause, (int)cause);
        _source.Cancel();
        Interlocked.MemoryBarrier();
        if (_expiring.TryGetTarget(out var expiring))
        {
            expiring.OnExpired();
        }
    }
}
