using Mesh.DataPlane.Timeouts;
using Mesh.DataPlane.Upstream;
using Polly;
using Polly.Retry;

namespace Mesh.DataPlane.Retry;

/// <summary>
/// Polly's retry strategy, entered only when a first attempt has failed retriably: the ordinary request pays nothing for it. What differs from
/// request to request (how many retries, which conditions, which back-off) is asked of the <see cref="RetriedRequest"/>.
/// </summary>
internal sealed class RetryPipeline
{
    private readonly ResiliencePipeline<Attempt> _pipeline;
    private readonly TimeProvider _time;

    public RetryPipeline(TimeProvider time, BackOffTime? backOff)
    {
        _time = time;
        _pipeline = new ResiliencePipelineBuilder<Attempt> { Name = "mesh", TimeProvider = backOff?.Time ?? time }
            .AddRetry(new RetryStrategyOptions<Attempt>
            {
                Name = "route-retry",
                MaxRetryAttempts = int.MaxValue,
                ShouldHandle = static arguments => new ValueTask<bool>(arguments.Outcome.Exception is null && Of(arguments.Context).ShouldRetry(arguments.Outcome.Result)),
                DelayGenerator = static arguments => new ValueTask<TimeSpan?>(Of(arguments.Context).Delay(arguments.Outcome.Result)),
            })
            .Build();
    }

    /// <summary>Goes on after a failed first attempt until one comes out well, or nothing more may be tried.</summary>
    /// <exception cref="OperationCanceledException">The caller's own token was cancelled.</exception>
    public async ValueTask<Attempt> RunAsync(RetriedRequest request)
    {
        // The clocks over all attempts run while waiting as well.
        var clock = RequestClock.Begin(_time, request.Caller);
        clock.SetDeadline(TimeoutCause.Route, request.Clocks.Route);
        clock.SetDeadline(TimeoutCause.MaxStreamDuration, request.Clocks.MaxStreamDuration);
        var context = ResilienceContextPool.Shared.Get(clock.Token);
        try
        {
            context.Properties.Set(RetriedRequest.Key, request);
            var outcome = await _pipeline.ExecuteOutcomeAsync(
                static async (context, request) =>
                {
                    try
                    {
                        return Outcome.FromResult(await request.NextAsync().ConfigureAwait(false));
                    }
                    catch (Exception e)
                    {
                        return Outcome.FromException<Attempt>(e);
                    }
                },
                context,
                request).ConfigureAwait(false);

            if (request.Caller.IsCancellationRequested)
            {
                // Whatever came out in the same moment, nobody will take it.
                outcome.Result.Dispose();
                request.Caller.ThrowIfCancellationRequested();
            }

            if (outcome.Exception is OperationCanceledException && clock.Cause is TimeoutCause.Route or TimeoutCause.MaxStreamDuration)
            {
                return new Attempt
                {
                    Input = request.Input,
                    Failure = AttemptFailure.Timeout,
                    Reply = clock.Cause == TimeoutCause.Route ? LocalReply.ResponseTimeout : LocalReply.MaxStreamDuration(requestIsComplete: true),
                };
            }

            outcome.ThrowIfException();
            return outcome.Result;
        }
        finally
        {
            request.DropFirst();
            request.EndRetry();
            ResilienceContextPool.Shared.Return(context);
            clock.End();
        }
    }

    private static RetriedRequest Of(ResilienceContext context) => context.Properties.GetValue(RetriedRequest.Key, null!);
}
