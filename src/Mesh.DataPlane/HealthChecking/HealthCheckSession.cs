using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.HealthChecking;

/// <summary>The checks of one host, one after the other, with Envoy's thresholds. Nothing of it runs on a request's path.</summary>
internal sealed class HealthCheckSession : IDisposable
{
    // Sockets are the process's: however many hosts are due at once, so many are asked at a time.
    private static readonly SemaphoreSlim Running = new(256);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly HealthCheckPolicy _policy;
    private readonly HostHealth _health;
    private readonly string _address;
    private readonly HealthProbe _probe;
    private readonly TimeProvider _time;
    private readonly IRandomSource _random;
    private readonly HostEvents _events;
    private readonly Action<HealthCheckSession, bool, bool> _checked;
    private ITimer? _timer;
    private uint _passes;
    private uint _failures;
    private bool _disposed;

    /// <param name="policy">When and how.</param>
    /// <param name="health">What the checks find out is marked here.</param>
    /// <param name="address">The host, for logs.</param>
    /// <param name="probe">Asks the host; ends with the session.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Decides the jitter.</param>
    /// <param name="events">Is told of changes.</param>
    /// <param name="checked">Called without a lock after every check: whether it passed, and whether the host's health has changed.</param>
    public HealthCheckSession(
        HealthCheckPolicy policy,
        HostHealth health,
        string address,
        HealthProbe probe,
        TimeProvider time,
        IRandomSource random,
        HostEvents events,
        Action<HealthCheckSession, bool, bool> @checked)
    {
        _policy = policy;
        _health = health;
        _address = address;
        _probe = probe;
        _time = time;
        _random = random;
        _events = events;
        _checked = @checked;
    }

    public HostHealth Health => _health;

    /// <summary>Whether the host has been checked at least once.</summary>
    public bool HasResult { get; private set; }

    public void Start()
    {
        var wait = _policy.InitialJitter > TimeSpan.Zero ? _policy.WithJitter(TimeSpan.Zero, _policy.InitialJitter, _random) : TimeSpan.Zero;

        // Set when it is known here: a check may be over before the thread that has begun it goes on, and sets the next one.
        _timer = _time.CreateTimer(static s => _ = ((HealthCheckSession)s!).CheckAsync(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The host has said on an ordinary response that it does not want any more (<c>x-envoy-immediate-health-check-fail</c>).</summary>
    public void FailImmediately()
    {
        if (_health.Has(HealthFlags.ExcludedByImmediateFailure))
        {
            return;
        }

        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            Fail(HealthCheckOutcome.FailedImmediately);
        }

        _checked(this, false, true);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            _timer?.Dispose();
        }

        _ended.Cancel();
        _probe.Dispose();
    }

    private async Task CheckAsync()
    {
        HealthCheckOutcome outcome;
        try
        {
            await Running.WaitAsync(_ended.Token).ConfigureAwait(false);
            try
            {
                outcome = await AskAsync().ConfigureAwait(false);
            }
            finally
            {
                Running.Release();
            }
        }
        catch (OperationCanceledException)
        {
            return; // The session has ended.
        }

        var passed = outcome is HealthCheckOutcome.Passed or HealthCheckOutcome.Degraded;
        HealthTransition transition;
        bool first;
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            first = !HasResult;
            transition = passed ? Pass(outcome == HealthCheckOutcome.Degraded) : Fail(outcome);
            var wait = _policy.NextIn(passed, transition, _health.HadTraffic);
            _timer!.Change(_policy.WithJitter(wait, _policy.IntervalJitter, _random), Timeout.InfiniteTimeSpan);
        }

        // The first result counts even where it confirms: somebody may wait for it.
        _checked(this, passed, first || transition == HealthTransition.Changed);
    }

    private async Task<HealthCheckOutcome> AskAsync()
    {
        using var timeout = new CancellationTokenSource(_policy.Timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _ended.Token);
        try
        {
            return await _probe.CheckAsync(either.Token).ConfigureAwait(false);
        }
        catch (Exception) when (_ended.IsCancellationRequested)
        {
            throw new OperationCanceledException(_ended.Token);
        }
        catch (Exception) when (timeout.IsCancellationRequested)
        {
            return HealthCheckOutcome.Timeout;
        }
        catch (Exception)
        {
            return HealthCheckOutcome.NetworkFailure;
        }
    }

    private HealthTransition Pass(bool degraded)
    {
        _failures = 0;
        var transition = HealthTransition.Unchanged;
        if (_health.Has(HealthFlags.FailedActiveHealthCheck))
        {
            if (!HasResult || ++_passes == _policy.HealthyThreshold)
            {
                _health.Clear(HealthFlags.FailedActiveHealthCheck | HealthFlags.ActiveHealthCheckTimeout | HealthFlags.ExcludedByImmediateFailure);
                _events.Healthy(_address, first: !HasResult);
                transition = HealthTransition.Changed;
            }
            else
            {
                transition = HealthTransition.ChangePending;
            }
        }

        if (transition != HealthTransition.Changed && _policy.AlwaysLogSuccesses)
        {
            _events.CheckPassed(_address);
        }

        if (_health.Clear(HealthFlags.PendingActiveHealthCheck))
        {
            transition = HealthTransition.Changed;
        }

        if (degraded ? _health.Set(HealthFlags.DegradedActiveHealthCheck) : _health.Clear(HealthFlags.DegradedActiveHealthCheck))
        {
            if (degraded)
            {
                _events.Degraded(_address);
            }

            transition = transition == HealthTransition.Unchanged ? HealthTransition.Changed : transition;
        }

        HasResult = true;
        return transition;
    }

    private HealthTransition Fail(HealthCheckOutcome outcome)
    {
        _passes = 0;
        var transition = HealthTransition.Unchanged;
        if (outcome == HealthCheckOutcome.FailedImmediately && _health.Set(HealthFlags.ExcludedByImmediateFailure))
        {
            transition = HealthTransition.Changed;
        }

        if (!_health.Has(HealthFlags.FailedActiveHealthCheck))
        {
            if (outcome is HealthCheckOutcome.Failed or HealthCheckOutcome.FailedImmediately || ++_failures == _policy.UnhealthyThreshold)
            {
                _health.Set(HealthFlags.FailedActiveHealthCheck);
                _events.Unhealthy(_address, outcome);
                transition = HealthTransition.Changed;
            }
            else
            {
                transition = HealthTransition.ChangePending;
            }
        }

        if (outcome == HealthCheckOutcome.Timeout && _health.Has(HealthFlags.FailedActiveHealthCheck))
        {
            _health.Set(HealthFlags.ActiveHealthCheckTimeout);
        }
        else
        {
            _health.Clear(HealthFlags.ActiveHealthCheckTimeout);
        }

        if (_health.Clear(HealthFlags.PendingActiveHealthCheck))
        {
            transition = HealthTransition.Changed;
        }

        if (!HasResult || _policy.AlwaysLogFailures)
        {
            _events.CheckFailed(_address, outcome);
        }

        HasResult = true;
        return transition;
    }
}
