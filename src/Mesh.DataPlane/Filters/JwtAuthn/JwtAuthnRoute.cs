namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>A route's <c>PerRouteConfig</c>.</summary>
/// <param name="RequirementName">What the route requires, by name; <see langword="null"/> when the filter is disabled there.</param>
internal sealed record JwtAuthnRoute(string? RequirementName);
