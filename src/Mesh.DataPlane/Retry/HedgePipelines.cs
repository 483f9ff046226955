using System.Collections.Concurrent;
using Mesh.DataPlane.Upstream;
using Polly;
using Polly.Hedging;

namespace Mesh.DataPlane.Retry;

/// <summary>
/// Polly's hedging strategy for routes that hedge: each attempt has the per-try timeout to answer before another goes beside it, a failed one is
/// replaced at once, and the first good response ends the others.
/// </summary>
internal sealed class HedgePipelines(TimeProvider time)
{
    // Polly's own bound.
    private const int MaxHedgedAttempts = 10;

    private readonly ConcurrentDictionary<(uint Retries, TimeSpan PerTry), ResiliencePipeline<Attempt>> _pipelines = new();

    /// <exception cref="OperationCanceledException">The caller's own token was cancelled.</exception>
    public async ValueTask<Attempt> RunAsync(HedgedRequest request, CancellationToken cancellationToken)
    {
        var pipeline = _pipelines.GetOrAdd((Math.Min(request.Retries, MaxHedgedAttempts), request.PerTryTimeout), Build);
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        try
        {
            context.Properties.Set(HedgedRequest.Key, request);
            var outcome = await pipeline.ExecuteOutcomeAsync(static (context, request) => request.NextAsync(context.CancellationToken), context, request).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            outcome.ThrowIfException();
            return outcome.Result;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private ResiliencePipeline<Attempt> Build((uint Retries, TimeSpan PerTry) key)
        => new ResiliencePipelineBuilder<Attempt> { Name = "mesh", TimeProvider = time }
            .AddHedging(new HedgingStrategyOptions<Attempt>
            {
                Name = "route-hedge",
                MaxHedgedAttempts = (int)key.Retries,
                Delay = key.PerTry,
                ShouldHandle = static arguments => new ValueTask<bool>(
                    arguments.Outcome.Exception is null && HedgedRequest.Of(arguments.Context).ShouldRetry(arguments.Outcome.Result)),
                ActionGenerator = static arguments =>
                {
                    var request = HedgedRequest.Of(arguments.PrimaryContext);
                    return request.TryBeginRetry() ? () => request.NextAsync(arguments.ActionContext.CancellationToken) : null;
                },
            })
            .Build();
}
