using Mesh.DataPlane.OriginalDst;

namespace Mesh.DataPlane.Clusters;

/// <summary>What a cluster is at one moment: policy and endpoints, swapped as one reference.</summary>
internal sealed record ClusterState(ClusterStatus Status, ClusterPolicy? Policy, EndpointSet Endpoints, string Version, string? Error)
{
    /// <summary>The addresses that callers have asked for; <see langword="null"/> when the cluster has hosts of its own.</summary>
    public OriginalDestinations? Destinations { get; init; }

    public static ClusterState Pending { get; } = new(ClusterStatus.Pending, null, EndpointSet.Empty, "", null);
}
