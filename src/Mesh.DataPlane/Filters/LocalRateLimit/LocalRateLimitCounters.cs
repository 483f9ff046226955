using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Filters.LocalRateLimit;

/// <summary>What the limits of one <c>stat_prefix</c> have done.</summary>
internal sealed class LocalRateLimitCounters(MetricRegistry registry, string statPrefix)
{
    /// <summary>Requests that were held against the limit.</summary>
    public CounterCell Enabled { get; } = Counter(registry, "enabled", "Requests that were held against a local rate limit.", statPrefix);

    /// <summary>Requests within it.</summary>
    public CounterCell Ok { get; } = Counter(registry, "ok", "Requests within their local rate limit.", statPrefix);

    /// <summary>Requests beyond it, refused or not.</summary>
    public CounterCell RateLimited { get; } = Counter(registry, "rate_limited", "Requests beyond their local rate limit, refused or not.", statPrefix);

    /// <summary>Requests that were refused.</summary>
    public CounterCell Enforced { get; } = Counter(registry, "enforced", "Requests that were refused because of a local rate limit.", statPrefix);

    private static CounterCell Counter(MetricRegistry registry, string name, string help, string statPrefix)
        => registry.Counter("envoy_http_local_rate_limit_" + name, help, "envoy_local_http_ratelimit_prefix").Cell(statPrefix);
}
