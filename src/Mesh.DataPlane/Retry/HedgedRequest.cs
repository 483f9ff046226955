using System.Collections.Concurrent;
using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Tls;
using Mesh.DataPlane.Upstream;
using Polly;

namespace Mesh.DataPlane.Retry;

/// <summary>A request whose attempts may run side by side: each has a message of its own, because headers may not be shared.</summary>
internal sealed class HedgedRequest(AttemptSender sender, TimeProvider time, AttemptInput input, HttpContent? content)
{
    public static readonly ResiliencePropertyKey<HedgedRequest> Key = new("mesh.hedged");

    // Polly's own bound.
    private const uint MaxRetries = 10;

    private readonly Lock _sync = new();
    private readonly ConcurrentQueue<EndpointState> _previous = new();
    private readonly long _routeDeadline = DeadlineOf(time, input.Plan.StartsRouteTimeout(input.Request) ? input.Plan.RouteTimeout : TimeSpan.Zero);
    private readonly long _durationDeadline = DeadlineOf(time, input.Plan.MaxStreamDuration);
    private int _attempts;
    private int _begun = 1;
    private int _running = 1;
    private int _granted;
    private bool _ended;

    public uint Retries => Math.Min(input.Plan.NumRetries, MaxRetries);

    public TimeSpan PerTryTimeout => input.Plan.PerTryTimeout;

    public int Attempts => Volatile.Read(ref _attempts);

    public static HedgedRequest Of(ResilienceContext context) => context.Properties.GetValue(Key, null!);

    /// <summary>
    /// Whether there may be one more: in place of one that was dropped, or, if the circuit breaker allows it, beside those that are on their way.
    /// Its <see cref="NextAsync"/> gives back what it takes part in.
    /// </summary>
    public bool TryBegin()
    {
        lock (_sync)
        {
            if (_granted > 0)
            {
                _granted--;
            }
            else if (!Breaker.TryBeginRetry())
            {
                return false;
            }

            _begun++;
            _running++;
            return true;
        }
    }

    /// <summary>It is decided; no attempt is replaced any more.</summary>
    public void End()
    {
        lock (_sync)
        {
            _ended = true;
            for (; _granted > 0; _granted--)
            {
                Breaker.EndRetry();
            }
        }
    }

    public async ValueTask<Outcome<Attempt>> NextAsync(CancellationToken cancellationToken)
    {
        var number = Interlocked.Increment(ref _attempts);
        var draw = input.Pick.Draw;
        for (var i = 1; i < number; i++)
        {
            draw = Draw.Next(draw);
        }

        try
        {
            var attempt = await sender.RunAsync(
                input with
                {
                    Number = number,
                    IsHedged = true,
                    Request = Copy(input.Request, content),
                    Body = null,

                    // One that loses may outlive the record.
                    Record = null,
                    Clocks = new AttemptClocks(_routeDeadline, _durationDeadline),
                    Previous = [.. _previous],
                    Pick = input.Pick with { Draw = draw },
                    OnPicked = _previous.Enqueue,
                },
                cancellationToken).ConfigureAwait(false);
            if (attempt.Response is { } response)
            {
                response.RequestMessage = input.Request;
            }

            if (IsReplaced(attempt, isRetry: number > 1))
            {
                // As Envoy does, before the next one begins: it may need the very connection that this one holds.
                attempt.Dispose();
                attempt = attempt with { Response = null, Upstream = null, IsDropped = true };
            }

            return Outcome.FromResult(attempt);
        }
        catch (Exception e)
        {
            _ = IsReplaced(null, isRetry: number > 1);
            return Outcome.FromException<Attempt>(e);
        }
    }

    // A failure is passed on when it is the last one: nothing may be tried any more, and nothing is on its way that may still come out well.
    private bool IsReplaced(Attempt? ended, bool isRetry)
    {
        lock (_sync)
        {
            _running--;
            if (isRetry)
            {
                Breaker.EndRetry();
            }

            if (_ended || ended is not { } attempt)
            {
                return false;
            }

            if (input.Record is { Signals.Tracer: { } tracer } record)
            {
                tracer.OnAttempt(record, attempt, attempt.Input.Number);
            }

            if (!RetryConditions.IsRetriable(input.Plan, attempt))
            {
                // One that was not let in has nothing to say while another one may still be answered.
                return attempt.Failure == AttemptFailure.Overflow && _running + _granted > 0;
            }

            if (_begun + _granted <= Retries && Breaker.TryBeginRetry())
            {
                _granted++;
                return true;
            }

            return _running + _granted > 0;
        }
    }

    private CircuitBreaker Breaker => input.Decision.Cluster!.Breakers[input.Decision.Route!.Policy.Priority];

    private static long DeadlineOf(TimeProvider time, TimeSpan timeout)
        => timeout <= TimeSpan.Zero
            ? long.MaxValue
            : (long)Int128.Min(time.GetTimestamp() + ((Int128)timeout.Ticks * time.TimestampFrequency / TimeSpan.TicksPerSecond), long.MaxValue - 1);

    private static HttpRequestMessage Copy(HttpRequestMessage request, HttpContent? content)
    {
        var copy = new HttpRequestMessage(request.Method, request.RequestUri)
        {
            Version = request.Version,
            VersionPolicy = request.VersionPolicy,
            Content = content is null ? null : OutgoingBody.Share(content),
        };
        foreach (var (name, values) in request.Headers.NonValidated)
        {
            copy.Headers.TryAddWithoutValidation(name, values);
        }

        RequestHost.Copy(request, copy);
        CallerTls.Copy(request, copy);
        return copy;
    }
}
