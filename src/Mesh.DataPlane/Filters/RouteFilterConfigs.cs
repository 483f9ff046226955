using Mesh.DataPlane.Filters.Cors;
using Mesh.DataPlane.Filters.LocalRateLimit;

namespace Mesh.DataPlane.Filters;

/// <summary>What a route says to the filters of the listener: decoded, by filter name, for each level that says something.</summary>
internal sealed class RouteFilterConfigs
{
    private readonly FilterConfigLevel[] _levels;

    /// <param name="levels">Route configuration, virtual host, route: the most specific last, those left out that say nothing.</param>
    public RouteFilterConfigs(IEnumerable<FilterConfigLevel?> levels) => _levels = [.. levels.OfType<FilterConfigLevel>()];

    /// <summary>The descriptors that rate-limit filters look at.</summary>
    public RouteRateLimits RateLimits { get; init; } = RouteRateLimits.None;

    /// <summary>The fields <c>cors</c> of route and virtual host, which count where no <c>typed_per_filter_config</c> says anything about CORS.</summary>
    public IReadOnlyList<CorsPolicy> LegacyCors { get; init; } = [];

    public bool IsEmpty => _levels.Length == 0 && RateLimits == RouteRateLimits.None && LegacyCors.Count == 0;

    /// <summary>Whether the most specific level that names a filter switches it on or off; <see langword="null"/> when none names it.</summary>
    public bool? IsDisabled(string filter)
    {
        for (var i = _levels.Length - 1; i >= 0; i--)
        {
            if (_levels[i].TryGetValue(filter, out var config))
            {
                return config.Disabled;
            }
        }

        return null;
    }

    /// <summary>The clusters that filters call because of what is said here.</summary>
    public IEnumerable<string> Clusters => _levels.SelectMany(l => l.Clusters);

    /// <summary>The configurations for a filter, the most specific last.</summary>
    public IEnumerable<RouteFilterConfig> Of(string filter)
    {
        foreach (var level in _levels)
        {
            if (level.TryGetValue(filter, out var config) && config.Type is not null)
            {
                yield return config;
            }
        }
    }
}

/// <summary>One entry of a <c>typed_per_filter_config</c>.</summary>
/// <param name="Type">The kind that has read it; <see langword="null"/> when it only switches the filter on or off.</param>
/// <param name="Config">What the kind has read.</param>
/// <param name="Disabled">The filter does not run.</param>
internal sealed record RouteFilterConfig(FilterType? Type, object? Config, bool Disabled);

/// <summary>The <c>typed_per_filter_config</c> of one level.</summary>
internal sealed class FilterConfigLevel() : Dictionary<string, RouteFilterConfig>(StringComparer.Ordinal)
{
    /// <summary>The clusters that filters call because of what is said here.</summary>
    public IEnumerable<string> Clusters => Values.SelectMany(c => c.Type is { } type ? type.ClustersOf(c.Config!) : []);
}
