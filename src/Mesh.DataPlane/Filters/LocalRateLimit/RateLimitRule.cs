using Mesh.Filters;

namespace Mesh.DataPlane.Filters.LocalRateLimit;

/// <summary>One <c>RateLimit</c> of a route, virtual host or filter, compiled: makes a descriptor of a request, if all its actions find something.</summary>
/// <param name="Stage">The filters of this stage look at it.</param>
/// <param name="Actions">What they look at.</param>
/// <param name="Hits">How many tokens a request costs.</param>
/// <param name="ShowsHeaders">Whether <c>x-ratelimit-*</c> are sent.</param>
internal sealed record RateLimitRule(uint Stage, RateLimitAction[] Actions, ulong Hits, bool? ShowsHeaders)
{
    public void Describe(HttpExchange exchange, string sourceCluster, List<RateLimitDescriptor> descriptors)
    {
        var entries = new List<(string, string)>(Actions.Length);
        foreach (var action in Actions)
        {
            if (!action.Describe(exchange, sourceCluster, entries))
            {
                return;
            }
        }

        if (entries.Count > 0)
        {
            descriptors.Add(new RateLimitDescriptor(entries, Hits, ShowsHeaders));
        }
    }
}

/// <summary>The rate limits that a route says itself and has from its virtual host.</summary>
/// <param name="Own">The route's.</param>
/// <param name="VirtualHost">The virtual host's.</param>
/// <param name="IncludeVirtualHost">Both count, whatever the filter says.</param>
internal sealed record RouteRateLimits(RateLimitRule[] Own, RateLimitRule[] VirtualHost, bool IncludeVirtualHost)
{
    public static RouteRateLimits None { get; } = new([], [], false);
}
