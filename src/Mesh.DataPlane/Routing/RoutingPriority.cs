namespace Mesh.DataPlane.Routing;

/// <summary>Envoy's routing priorities: each has circuit breakers of its own.</summary>
internal enum RoutingPriority
{
    Default,
    High,
}
