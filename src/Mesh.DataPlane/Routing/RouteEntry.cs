namespace Mesh.DataPlane.Routing;

/// <summary>One route of a virtual host, bound to its clusters.</summary>
internal sealed class RouteEntry(int index, string name, RouteMatch match, RouteAction action)
{
    /// <summary>The place in the virtual host; the lowest that matches wins.</summary>
    public int Index { get; } = index;

    public string Name { get; } = name;

    public RouteMatch Match { get; } = match;

    public RouteAction Action { get; } = action;

    public override string ToString() => Name.Length > 0 ? $"routes[{Index}] '{Name}'" : $"routes[{Index}]";
}
