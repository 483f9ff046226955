using System.Globalization;
using Mesh.DataPlane.Filters.HeaderMutation;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters.LocalRateLimit;

/// <summary>Refuses what goes over the limit: 429, flag <c>RL</c>.</summary>
/// <param name="settings">The configuration, with its buckets.</param>
/// <param name="rules">What makes descriptors of a request on this route.</param>
/// <param name="services">Time and chance.</param>
internal sealed class LocalRateLimitFilter(LocalRateLimitSettings settings, RateLimitRule[] rules, FilterServices services) : HttpFilter
{
    private static readonly List<RateLimitDescriptor> NoDescriptors = [];

    private readonly LocalRateLimitCounters _counters = new(services.Metrics, settings.StatPrefix);
    private readonly FilterReply _refusal = FilterReplies.LocalRateLimited(settings.Status, settings.AsResourceExhausted).ToFilterReply();

    internal override bool MayReplaceResponse => false;

    public override ValueTask OnRequestAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        if (!settings.Enabled.Happens(services.Random))
        {
            return ValueTask.CompletedTask;
        }

        _counters.Enabled.Increment();
        var verdict = settings.Buckets.Take(Describe(exchange), services.Time);
        if (verdict.Bucket is { } bucket && (verdict.ShowsHeaders ?? settings.ShowsHeaders))
        {
            exchange.State = bucket;
        }

        if (verdict.Allowed)
        {
            _counters.Ok.Increment();
            return ValueTask.CompletedTask;
        }

        _counters.RateLimited.Increment();
        if (!settings.Enforced.Happens(services.Random))
        {
            HeaderAction.Apply(settings.RequestHeaders, exchange, HeaderSide.Request);
            return ValueTask.CompletedTask;
        }

        _counters.Enforced.Increment();
        exchange.Reply(_refusal);
        return ValueTask.CompletedTask;
    }

    public override ValueTask OnResponseAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        if (exchange.IsReplyOf(_refusal))
        {
            HeaderAction.Apply(settings.ResponseHeaders, exchange, HeaderSide.Response);
        }

        if (exchange.State is TokenBucket bucket)
        {
            var headers = exchange.ResponseHeaders;
            headers.Add("x-ratelimit-limit", bucket.MaxTokens.ToString(CultureInfo.InvariantCulture));
            headers.Add("x-ratelimit-remaining", bucket.Remaining(services.Time).ToString(CultureInfo.InvariantCulture));
            headers.Add(
                "x-ratelimit-reset",
                Math.Ceiling(bucket.NextToken(services.Time).TotalSeconds).ToString(CultureInfo.InvariantCulture));
        }

        return ValueTask.CompletedTask;
    }

    private List<RateLimitDescriptor> Describe(HttpExchange exchange)
    {
        if (rules.Length == 0)
        {
            return NoDescriptors;
        }

        var descriptors = new List<RateLimitDescriptor>();
        foreach (var rule in rules)
        {
            rule.Describe(exchange, services.Cluster, descriptors);
        }

        return descriptors;
    }
}
