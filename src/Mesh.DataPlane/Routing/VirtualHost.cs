using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Redirects;

namespace Mesh.DataPlane.Routing;

/// <summary>The routes of a set of domains.</summary>
internal sealed class VirtualHost(string name, RouteEntry[] routes, bool requiresTls = false)
{
    private static readonly RouteEntry ToHttps = new(
        -1,
        "",
        new RouteMatch(new PathMatch(PathMatchKind.Prefix, "/", CaseSensitive: true), RouteConditions.None),
        new RouteAction.RedirectTo(Redirect.ToHttps));

    private readonly PathIndex _index = new(routes);

    public string Name { get; } = name;

    public RouteEntry[] Routes { get; } = routes;

    /// <summary>The first route, in order, whose every condition holds.</summary>
    public RouteEntry? Match(scoped in RequestView request, ulong draw)
        => requiresTls && request.Scheme != Uri.UriSchemeHttps ? ToHttps : _index.Match(request, draw);
}
