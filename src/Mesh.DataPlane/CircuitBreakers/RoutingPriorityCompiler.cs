using Mesh.DataPlane.Routing;
using EnvoyPriority = Envoy.Config.Core.V3.RoutingPriority;

namespace Mesh.DataPlane.CircuitBreakers;

/// <summary>Reads a route's priority.</summary>
internal static class RoutingPriorityCompiler
{
    public static RoutingPriority Compile(EnvoyPriority priority) => priority == EnvoyPriority.High ? RoutingPriority.High : RoutingPriority.Default;
}
