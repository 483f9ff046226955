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
    private readonly ConcurrentDictionary<(uint Retries, TimeSpan PerTry), ResiliencePipeline<Attempt>> _pipelines = new();

    /// <exception cref="OperationCanceledException">The caller's own token was cancelled.</exception>
    public async ValueTask<Attempt> RunAsync(HedgedRequest request, CancellationToken cancellationToken)
    {
        var pipeline = _pipelines.GetOrAdd((request.Retries, request.PerTryTimeout), Build);
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        try
        {
            context.Properties.Set(HedgedRequest.Key, request);
            var outcome = await pipeline.ExecuteOutcomeAsync(static (context, request) => request.NextAsync(context.CancellationToken), context, request).ConfigureAwait(false);
            if (cancellationToken.IsCancellationRequested)
            {
                // Whatever came out in the same moment, nobody will take it.
                outcome.Result.Dispose();
                cancellationToken.ThrowIfCancellationRequested();
            }

            outcome.ThrowIfException();
            return outcome.Result;
        }
        finally
        {
            request.End();
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
                    arguments.Outcome.Exception is null && arguments.Outcome.Result.IsDropped),
                ActionGenerator = static arguments =>
                {
                    var request = HedgedRequest.Of(arguments.PrimaryContext);
                    return request.TryBegin() ? () => request.NextAsync(arguments.ActionContext.CancellationToken) : null;
                },
            })
            .Build();
}
