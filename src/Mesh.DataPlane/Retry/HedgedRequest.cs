using System.Collections.Concurrent;
using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Upstream;
using Polly;

namespace Mesh.DataPlane.Retry;

/// <summary>A request whose attempts may run side by side: each has a message of its own, because headers may not be shared.</summary>
internal sealed class HedgedRequest(AttemptSender sender, TimeProvider time, AttemptInput input, HttpContent? content)
{
    public static readonly ResiliencePropertyKey<HedgedRequest> Key = new("mesh.hedged");

    private readonly ConcurrentQueue<EndpointState> _previous = new();
    private readonly long _routeDeadline = DeadlineOf(time, input.Plan.StartsRouteTimeout(input.Request) ? input.Plan.RouteTimeout : TimeSpan.Zero);
    private readonly long _durationDeadline = DeadlineOf(time, input.Plan.MaxStreamDuration);
    private int _attempts;

    public uint Retries => input.Plan.NumRetries;

    public TimeSpan PerTryTimeout => input.Plan.PerTryTimeout;

    public int Attempts => Volatile.Read(ref _attempts);

    public static HedgedRequest Of(ResilienceContext context) => context.Properties.GetValue(Key, null!);

    /// <summary>Whether the circuit breaker allows one more beside those that are on their way; its <see cref="NextAsync"/> gives it back.</summary>
    public bool TryBeginRetry() => Breaker.TryBeginRetry();

    public bool ShouldRetry(in Attempt attempt) => RetryConditions.IsRetriable(input.Plan, attempt);

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
            var attempt = await sender.SendAsync(
                input with
                {
                    Number = number,
                    IsHedged = true,
                    Request = Copy(input.Request, content),
                    Body = null,
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

            return Outcome.FromResult(attempt);
        }
        catch (Exception e)
        {
            return Outcome.FromException<Attempt>(e);
        }
        finally
        {
            if (number > 1)
            {
                Breaker.EndRetry();
            }
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

        return copy;
    }
}
