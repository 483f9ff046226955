using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.CircuitBreakers;

/// <summary>What the requests to one host hold, by priority: Envoy has a connection pool for each.</summary>
internal struct HostPermits
{
    public PermitCount Default;

    public PermitCount High;

    public static ref PermitCount Of(ref HostPermits permits, RoutingPriority priority)
    {
        if (priority == RoutingPriority.High)
        {
            return ref permits.High;
        }

        return ref permits.Default;
    }
}
