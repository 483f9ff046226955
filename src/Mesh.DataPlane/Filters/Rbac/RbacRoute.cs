namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>A route's <c>RBACPerRoute</c>.</summary>
/// <param name="Settings">What takes the place of the listener's configuration; <see langword="null"/> when the filter is off there.</param>
internal sealed record RbacRoute(RbacSettings? Settings);
