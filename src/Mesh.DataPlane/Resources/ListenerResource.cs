namespace Mesh.DataPlane.Resources;

/// <summary>A decoded API listener: routes by name, or inline.</summary>
internal sealed record ListenerResource(string Name, string? RouteConfigurationName, RouteConfigurationResource? InlineRoutes) : Resource;
