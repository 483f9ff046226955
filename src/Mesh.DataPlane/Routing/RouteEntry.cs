namespace Mesh.DataPlane.Routing;

/// <summary>One route of a virtual host, bound to its clusters.</summary>
internal sealed class RouteEntry(int index, string name, RouteMatch match, RouteAction action)
{
    /// <summary>The place in the virtual host; the lowest that matches wins.</summary>
    public int Index { get; } = index;

    public string Name { get; } = name;

    public RouteMatch Match { get; } = match;

    public RouteAction Action { get; } = action;

    /// <summary>The path alone decides: the request's headers need not be looked at.</summary>
    public bool IsPathOnly { get; } = match is { Headers.Length: 0, QueryParameters.Length: 0, Cookies.Length: 0, GrpcOnly: false, Fraction: null };

    /// <summary>The path is not decided by the index.</summary>
    public bool IsUnindexed { get; } = match.Path.Kind == PathMatchKind.Regex;

    public override string ToString() => Name.Length > 0 ? $"routes[{Index}] '{Name}'" : $"routes[{Index}]";
}
