using Mesh.DataPlane.Mirroring;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Routing;

/// <summary>One route of a virtual host, bound to its clusters.</summary>
internal sealed class RouteEntry(int index, string name, RouteMatch match, RouteAction action, RoutePolicy? policy = null, Mirror[]? mirrors = null)
{
    /// <summary>The place in the virtual host; the lowest that matches wins.</summary>
    public int Index { get; } = index;

    public string Name { get; } = name;

    public RouteMatch Match { get; } = match;

    public RouteAction Action { get; } = action;

    /// <summary>What happens to the request beside going to a cluster; never <see langword="null"/>, and the same object where routes agree.</summary>
    public RoutePolicy Policy { get; } = policy ?? RoutePolicy.None;

    /// <summary>Where copies of its requests go; <see langword="null"/> when nowhere.</summary>
    public Mirror[]? Mirrors { get; } = mirrors;

    /// <summary>What is said of it; <see langword="null"/> when nothing is.</summary>
    public ResourceMetadata? Metadata { get; init; }

    /// <summary>What it asks beside the path; here, so that a match touches no further object. <see langword="null"/> when it asks nothing.</summary>
    public RouteConditions? Conditions { get; } = match.Conditions == RouteConditions.None ? null : match.Conditions;

    /// <summary>The path is not decided by the index.</summary>
    public bool IsUnindexed { get; } = match.Path.Kind == PathMatchKind.Regex;

    /// <summary>What the route's requests have in common, kept by whoever made it first.</summary>
    public AttemptPlan? Plan { get; set; }

    public override string ToString() => Name.Length > 0 ? $"routes[{Index}] '{Name}'" : $"routes[{Index}]";
}
