using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Routing;

/// <summary>All conditions of a route.</summary>
internal sealed record RouteMatch(PathMatch Path, RouteConditions Conditions)
{
    /// <summary>The first condition that does not hold, in words; <see langword="null"/> when all do.</summary>
    public string? FirstMismatch(scoped in RequestView request, ulong draw)
        => Path.IsMatch(request.Path) ? Conditions.FirstMismatch(request, draw) : Path.ToString();
}
