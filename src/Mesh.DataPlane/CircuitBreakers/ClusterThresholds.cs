using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.CircuitBreakers;

/// <summary>The limits of a cluster for both priorities.</summary>
internal sealed record ClusterThresholds(Thresholds Default, Thresholds High)
{
    /// <summary>Envoy's limits for a cluster that says nothing.</summary>
    public static ClusterThresholds None { get; } = new(Thresholds.Default, Thresholds.Default);

    public Thresholds Of(RoutingPriority priority) => priority == RoutingPriority.High ? High : Default;
}
