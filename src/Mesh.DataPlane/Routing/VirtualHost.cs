using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Routing;

/// <summary>The routes of a set of domains.</summary>
internal sealed class VirtualHost(string name, RouteEntry[] routes)
{
    private readonly PathIndex _index = new(routes);

    public string Name { get; } = name;

    public RouteEntry[] Routes { get; } = routes;

    /// <summary>The first route, in order, whose every condition holds.</summary>
    public RouteEntry? Match(scoped in RequestView request, ulong draw) => _index.Match(request, draw);
}
