using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>The cluster knows the host itself (Envoy's <c>CLUSTER_PROVIDED</c>): nothing is balanced, and no picker is ever made.</summary>
internal sealed record ClusterProvided : LoadBalancingPolicy
{
    public override HostPicker CreatePicker(Endpoint[] hosts, HostGroupState state)
        => throw new InvalidOperationException("The hosts of this cluster are found by the destination of each request.");
}
