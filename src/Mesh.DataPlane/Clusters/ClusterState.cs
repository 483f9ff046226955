namespace Mesh.DataPlane.Clusters;

/// <summary>What a cluster is at one moment: policy and endpoints, swapped as one reference.</summary>
internal sealed record ClusterState(ClusterStatus Status, ClusterPolicy? Policy, EndpointSet Endpoints, string Version, string? Error)
{
    public static ClusterState Pending { get; } = new(ClusterStatus.Pending, null, EndpointSet.Empty, "", null);
}
