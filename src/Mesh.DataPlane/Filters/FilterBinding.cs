namespace Mesh.DataPlane.Filters;

/// <summary>What applies to a filter on one route.</summary>
/// <param name="Config">The listener's configuration.</param>
/// <param name="RouteConfigs">Those of route configuration, virtual host, route and weighted cluster, as far as there are any: the most specific last.</param>
/// <param name="Route">What the route says beside that.</param>
/// <param name="Services">Time, chance, and who this process is.</param>
/// <param name="StatPrefix">By what the connection manager is known among metrics.</param>
/// <param name="Name">The filter's name in the listener.</param>
internal readonly record struct FilterBinding(object Config, IReadOnlyList<object> RouteConfigs, RouteFilterConfigs? Route, FilterServices Services, string StatPrefix = "", string Name = "")
{
    /// <summary>The configuration that counts where levels do not add up.</summary>
    public object MostSpecific => RouteConfigs.Count > 0 ? RouteConfigs[^1] : Config;
}
