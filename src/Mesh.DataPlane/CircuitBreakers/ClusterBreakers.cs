using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.CircuitBreakers;

/// <summary>The circuit breakers of a cluster. They live as long as the cluster; an update changes their limits and nothing that they count.</summary>
internal sealed class ClusterBreakers(ClusterStats stats)
{
    private readonly CircuitBreaker _default = new(RoutingPriority.Default, stats);
    private readonly CircuitBreaker _high = new(RoutingPriority.High, stats);

    public CircuitBreaker this[RoutingPriority priority] => priority == RoutingPriority.High ? _high : _default;

    public void Use(ClusterThresholds thresholds)
    {
        _default.Limits = thresholds.Default;
        _high.Limits = thresholds.High;
    }
}
