using Envoy.Extensions.Common.Ratelimit.V3;
using Mesh.DataPlane.Filters.HeaderMutation;
using Mesh.DataPlane.Matching;
using Mesh.Xds.Client;
using Message = Envoy.Extensions.Filters.Http.LocalRatelimit.V3.LocalRateLimit;
using MessageBucket = Envoy.Type.V3.TokenBucket;

namespace Mesh.DataPlane.Filters.LocalRateLimit;

/// <summary>Compiles <c>LocalRateLimit</c>.</summary>
internal static class LocalRateLimitCompiler
{
    private const int TooManyRequests = 429;
    private const uint DefaultDynamicDescriptors = 20;

    private static readonly TimeSpan MinFillInterval = TimeSpan.FromMilliseconds(50);

    public static LocalRateLimitSettings Compile(Message message, string path, bool isRoute, ICollection<string> notes)
    {
        if (isRoute && message.TokenBucket is null)
        {
            throw new ResourceRejectedException(path + ".token_bucket", "must be set where the filter is configured for a route");
        }

        if (message.LocalRateLimitPerDownstreamConnection)
        {
            notes.Add($"{path}.local_rate_limit_per_downstream_connection is not applied: there is one bucket for all requests of the process");
        }

        if (message.LocalClusterRateLimit is not null)
        {
            notes.Add($"{path}.local_cluster_rate_limit is not applied: every process has the whole limit to itself");
        }

        var never = new Fraction(0, 100);
        var status = (int)(message.Status?.Code ?? 0);
        return new LocalRateLimitSettings
        {
            StatPrefix = message.StatPrefix,
            Buckets = new RateLimitBuckets(
                message.TokenBucket is { } bucket ? Bucket(bucket, path + ".token_bucket") : null,
                Descriptors(message.Descriptors, path + ".descriptors"),
                message.AlwaysConsumeDefaultTokenBucket ?? true,
                message.MaxDynamicDescriptors ?? DefaultDynamicDescriptors),
            Enabled = FilterFraction.Compile(message.FilterEnabled, path + ".filter_enabled", notes) ?? never,
            Enforced = FilterFraction.Compile(message.FilterEnforced, path + ".filter_enforced", notes) ?? never,
            Status = status is >= 400 and <= 599 ? status : TooManyRequests,
            ResponseHeaders = HeaderActionCompiler.Compile(message.ResponseHeadersToAdd, path + ".response_headers_to_add", notes),
            RequestHeaders = HeaderActionCompiler.Compile(
                message.RequestHeadersToAddWhenNotEnforced,
                path + ".request_headers_to_add_when_not_enforced",
                notes),
            Stage = message.Stage,
            VirtualHostRateLimits = message.VhRateLimits,
            Rules = RateLimitCompiler.Compile(message.RateLimits, path + ".rate_limits", notes),
            ShowsHeaders = message.EnableXRatelimitHeaders == XRateLimitHeadersRFCVersion.DraftVersion03,
            AsResourceExhausted = message.RateLimitedAsResourceExhausted,
        };
    }

    private static LocalDescriptor[] Descriptors(IReadOnlyList<LocalRateLimitDescriptor> messages, string path)
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        var descriptors = new LocalDescriptor[messages.Count];
        for (var i = 0; i < descriptors.Length; i++)
        {
            var message = messages[i];
            if (!known.Add(string.Join('\0', message.Entries.Select(e => e.Key + '\0' + e.Value))))
            {
                throw new ResourceRejectedException($"{path}[{i}]", "repeats an earlier descriptor");
            }

            descriptors[i] = new LocalDescriptor(
                [.. message.Entries.Select(e => (e.Key, e.Value))],
                Bucket(message.TokenBucket, $"{path}[{i}].token_bucket"),
                message.ShadowMode);
        }

        // An exact descriptor goes before one that takes any value.
        return [.. descriptors.OrderBy(d => d.IsWildcard)];
    }

    private static TokenBucket Bucket(MessageBucket message, string path)
    {
        var interval = message.FillInterval.ToTimeSpan();
        return interval >= MinFillInterval
            ? new TokenBucket(message.MaxTokens, message.TokensPerFill ?? 1, interval)
            : throw new ResourceRejectedException(path + ".fill_interval", "must be at least 50 milliseconds");
    }
}
