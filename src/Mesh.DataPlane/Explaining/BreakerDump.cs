using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Explaining;

/// <summary>The limits of one priority of a cluster, and how much of them is in use.</summary>
/// <param name="Priority"><c>default</c> or <c>high</c>.</param>
/// <param name="MaxConnections">The limit of <c>cx</c>, in Envoy's words.</param>
/// <param name="ActiveConnections">Connections that HTTP/1.1 requests hold.</param>
/// <param name="MaxPendingRequests">The limit of <c>rq_pending</c>.</param>
/// <param name="PendingRequests">Requests that wait for a connection.</param>
/// <param name="MaxRequests">The limit of <c>rq</c>.</param>
/// <param name="ActiveRequests">Requests on their way.</param>
/// <param name="MaxRetries">The limit of <c>retry</c>.</param>
/// <param name="ActiveRetries">Retries on their way or in back-off.</param>
internal sealed record BreakerDump(
    string Priority,
    uint MaxConnections,
    uint ActiveConnections,
    uint MaxPendingRequests,
    int PendingRequests,
    uint MaxRequests,
    uint ActiveRequests,
    uint MaxRetries,
    int ActiveRetries)
{
    public static IReadOnlyList<BreakerDump> Of(Cluster cluster)
        => [Of("default", cluster.Breakers[RoutingPriority.Default]), Of("high", cluster.Breakers[RoutingPriority.High])];

    private static BreakerDump Of(string priority, CircuitBreaker breaker)
    {
        var limits = breaker.Limits;
        return new BreakerDump(
            priority, limits.MaxConnections, breaker.ActiveConnections, limits.MaxPendingRequests, breaker.PendingRequests,
            limits.MaxRequests, breaker.ActiveRequests, limits.MaxRetries, breaker.ActiveRetries);
    }
}
