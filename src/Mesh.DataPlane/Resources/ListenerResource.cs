using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Hosts;

namespace Mesh.DataPlane.Resources;

/// <summary>A decoded listener: routes by name, or inline, or neither where it carries connections and no requests.</summary>
internal sealed record ListenerResource(string Name, string? RouteConfigurationName, RouteConfigurationResource? InlineRoutes) : Resource
{
    /// <summary>The HTTP filters in their order, without the router.</summary>
    public ListenerFilter[] Filters { get; init; } = [];

    public ListenerSettings Settings { get; init; } = ListenerSettings.Default;
}
