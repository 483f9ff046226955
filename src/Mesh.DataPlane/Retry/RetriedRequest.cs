using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Timeouts;
using Mesh.DataPlane.Upstream;
using Polly;

namespace Mesh.DataPlane.Retry;

/// <summary>A request whose first attempt has failed in a way that allows another: what the retry pipeline asks, attempt by attempt.</summary>
internal sealed class RetriedRequest
{
    public static readonly ResiliencePropertyKey<RetriedRequest> Key = new("mesh.request");

    private readonly AttemptSender _sender;
    private readonly TimeProvider _time;
    private readonly List<EndpointState> _previous = [];
    private readonly uint _total;
    private AttemptInput _input;
    private Attempt? _first;
    private AttemptFailure _lastFailure;
    private AttemptClocks _clocks;
    private ulong _draw;
    private uint _excludedPriorities;
    private uint _remaining;
    private CircuitBreaker? _permit;

    public RetriedRequest(AttemptSender sender, TimeProvider time, AttemptInput input, in Attempt first, CancellationToken caller)
    {
        Caller = caller;
        _sender = sender;
        _time = time;
        _input = input;
        _first = first;
        _draw = input.Pick.Draw;
        _total = _remaining = input.Plan.NumRetries;
        _clocks = input.Clocks;
        _clocks = ClocksAfter(first);
    }

    /// <summary>What attempts are ended by, beside clocks of their own: who waits by the pipeline's token would be told the wrong cause.</summary>
    public CancellationToken Caller { get; }

    /// <summary>Where the last attempt went.</summary>
    public AttemptInput Input => _input;

    /// <summary>How many attempts were made.</summary>
    public int Attempts { get; private set; } = 1;

    /// <summary>Nothing is left of the number of retries, and another one would have been worth it.</summary>
    public bool IsExhausted { get; private set; }

    /// <summary>The circuit breaker allowed no further retry, and another one would have been worth it.</summary>
    public bool IsLimited { get; private set; }

    /// <summary>The clocks that end the waiting between attempts as well.</summary>
    public AttemptClocks Clocks => _clocks;

    /// <summary>The first attempt as it came out, then one new attempt a call.</summary>
    public async ValueTask<Attempt> NextAsync()
    {
        if (_first is { } first)
        {
            _first = null;
            return first;
        }

        Attempts++;
        _draw = Draw.Next(_draw);
        var input = _input = _input with
        {
            Number = Attempts,
            Clocks = _clocks,
            Previous = _previous,
            Pick = _input.Pick with { Draw = _draw, ExcludedPriorities = ExcludedPriorities() },
            FollowsTimeout = _lastFailure == AttemptFailure.PerTryTimeout,
        };
        var attempt = await _sender.RunAsync(input, Caller).ConfigureAwait(false);
        _clocks = ClocksAfter(attempt);
        if (input.Record is { Signals.Tracer: { } tracer } record)
        {
            tracer.OnAttempt(record, attempt, Attempts);
        }

        return attempt;
    }

    /// <summary>Whether to try again; if so, one retry is used up.</summary>
    public bool ShouldRetry(in Attempt attempt)
    {
        EndRetry();
        if (!RetryConditions.IsRetriable(_input.Plan, attempt))
        {
            return false;
        }

        if (_remaining == 0)
        {
            IsExhausted = true;
            return false;
        }

        if (_input.Body is { CanReplay: false })
        {
            attempt.Decision.Cluster!.Stats.RetryOrShadowAbandoned.Increment();
            return false;
        }

        var breaker = attempt.Decision.Cluster!.Breakers[attempt.Decision.Route!.Policy.Priority];
        if (!breaker.TryBeginRetry())
        {
            IsLimited = true;
            return false;
        }

        _permit = breaker;
        _remaining--;
        _lastFailure = attempt.Failure;
        if (attempt.Decision.Endpoint is { } endpoint)
        {
            _previous.Add(endpoint.State);
            _excludedPriorities |= endpoint.Priority < 32 ? 1u << (int)endpoint.Priority : 0;
        }

        return true;
    }

    /// <summary>Lets go of the first attempt if the pipeline has been left before it was looked at.</summary>
    public void DropFirst()
    {
        _first?.Dispose();
        _first = null;
    }

    /// <summary>Gives back what the last retry holds, now that it has come out.</summary>
    public void EndRetry()
    {
        _permit?.EndRetry();
        _permit = null;
    }

    /// <summary>How long to wait before the next attempt: what the upstream asked for, else Envoy's back-off.</summary>
    public TimeSpan Delay(in Attempt attempt)
    {
        var policy = _input.Plan.Retry!;
        var draw = Draw.Next(_draw ^ 0x5DEECE66D);
        return attempt.Response is { } response && policy.RateLimitedBackOff?.Before(response, _time.GetUtcNow(), draw) is { } asked
            ? asked
            : policy.BackOff.Before(_total - _remaining, draw);
    }

    // Envoy looks anew at the priorities tried so far every update_frequency attempts.
    private uint ExcludedPriorities()
    {
        var frequency = _input.Plan.Retry!.PreviousPrioritiesUpdateFrequency;
        return frequency > 0 && (Attempts - 1) % frequency == 0 ? _excludedPriorities : _input.Pick.ExcludedPriorities;
    }

    // A response that is given up still has its clock; a failure told where its clock stood.
    private AttemptClocks ClocksAfter(in Attempt attempt)
        => attempt.Upstream?.Clock is { } clock
            ? new AttemptClocks(clock.DeadlineOf(TimeoutCause.Route), clock.DeadlineOf(TimeoutCause.MaxStreamDuration))
            : attempt.Response is null ? attempt.Clocks : _clocks;
}
