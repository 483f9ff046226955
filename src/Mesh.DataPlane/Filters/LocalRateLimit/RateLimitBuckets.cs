using System.Collections.Concurrent;

namespace Mesh.DataPlane.Filters.LocalRateLimit;

/// <summary>The buckets of one configuration: the default one, one for each descriptor, and those that wildcard descriptors make as values come.</summary>
internal sealed class RateLimitBuckets(TokenBucket? ordinary, LocalDescriptor[] descriptors, bool alwaysConsumeDefault, uint maxDynamic)
{
    private readonly ConcurrentDictionary<string, DynamicBucket> _dynamic = new(StringComparer.Ordinal);

    public bool IsEmpty => ordinary is null && descriptors.Length == 0;

    public bool HasDescriptors => descriptors.Length > 0;

    /// <summary>How many buckets wildcards have made.</summary>
    public int DynamicCount => _dynamic.Count;

    /// <summary>
    /// Takes the request's tokens: of every bucket that fits a descriptor of it, the slowest first, so that a request that is refused has cost the
    /// faster ones nothing; then of the default one.
    /// </summary>
    public RateLimitVerdict Take(List<RateLimitDescriptor> requested, TimeProvider time)
    {
        List<Match>? matches = null;
        foreach (var descriptor in requested)
        {
            if (Find(descriptor, time) is { } found)
            {
                (matches ??= []).Add(found);
            }
        }

        matches?.Sort(static (a, b) => a.Bucket.TokensPerSecond.CompareTo(b.Bucket.TokensPerSecond));
        foreach (var match in matches ?? [])
        {
            if (!match.Bucket.TryTake(time, match.Hits) && !match.IsShadow)
            {
                return new RateLimitVerdict(false, match.Bucket, match.ShowsHeaders);
            }
        }

        if (ordinary is not null && (matches is null || alwaysConsumeDefault) && !ordinary.TryTake(time))
        {
            return new RateLimitVerdict(false, ordinary, null);
        }

        return matches is null ? new RateLimitVerdict(true, ordinary, null) : new RateLimitVerdict(true, matches[0].Bucket, matches[0].ShowsHeaders);
    }

    private Match? Find(in RateLimitDescriptor requested, TimeProvider time)
    {
        foreach (var descriptor in descriptors)
        {
            if (descriptor.IsMatch(requested.Entries))
            {
                var bucket = descriptor.IsWildcard ? Dynamic(descriptor, requested.Entries, time) : descriptor.Bucket;
                return new Match(bucket, requested.Hits, requested.ShowsHeaders, descriptor.ShadowMode);
            }
        }

        return null;
    }

    private TokenBucket Dynamic(LocalDescriptor descriptor, List<(string Key, string Value)> entries, TimeProvider time)
    {
        var key = string.Join('\0', entries.Select(e => e.Key + '\0' + e.Value));
        var now = time.GetTimestamp();
        if (_dynamic.TryGetValue(key, out var known))
        {
            known.LastUsed = now;
            return known.Bucket;
        }

        // Values come from requests: what has not come for longest makes room.
        while (_dynamic.Count >= maxDynamic)
        {
            _dynamic.TryRemove(_dynamic.MinBy(b => b.Value.LastUsed).Key, out _);
        }

        var template = descriptor.Bucket;
        return _dynamic.GetOrAdd(
            key,
            static (_, t) => new DynamicBucket(new TokenBucket(t.Template.MaxTokens, t.Template.TokensPerFill, t.Template.FillInterval)) { LastUsed = t.Now },
            (Template: template, Now: now)).Bucket;
    }

    private readonly record struct Match(TokenBucket Bucket, ulong Hits, bool? ShowsHeaders, bool IsShadow);

    private sealed class DynamicBucket(TokenBucket bucket)
    {
        public TokenBucket Bucket { get; } = bucket;

        public long LastUsed { get; set; }
    }
}

/// <summary>Whether a request is within its limits, and the bucket that tells so.</summary>
/// <param name="Allowed">It is.</param>
/// <param name="Bucket">What <c>x-ratelimit-*</c> speak of; <see langword="null"/> when no bucket fits.</param>
/// <param name="ShowsHeaders">Whether they are sent; <see langword="null"/> when the filter decides.</param>
internal readonly record struct RateLimitVerdict(bool Allowed, TokenBucket? Bucket, bool? ShowsHeaders);

/// <summary>A descriptor that has a bucket of its own.</summary>
/// <param name="Entries">Keys and values, in order; an empty value stands for any, and each then has a bucket of its own.</param>
/// <param name="Bucket">The bucket, or the pattern of the buckets.</param>
/// <param name="ShadowMode">Counts, and never refuses.</param>
internal sealed record LocalDescriptor((string Key, string Value)[] Entries, TokenBucket Bucket, bool ShadowMode)
{
    public bool IsWildcard { get; } = Entries.Any(e => e.Value.Length == 0);

    public bool IsMatch(List<(string Key, string Value)> requested)
    {
        if (requested.Count != Entries.Length)
        {
            return false;
        }

        for (var i = 0; i < Entries.Length; i++)
        {
            if (Entries[i].Key != requested[i].Key || (Entries[i].Value.Length > 0 && Entries[i].Value != requested[i].Value))
            {
                return false;
            }
        }

        return true;
    }
}
