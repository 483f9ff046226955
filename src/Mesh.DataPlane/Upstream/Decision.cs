using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.OriginalDst;
using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Upstream;

/// <summary>Where a request goes: an endpoint, or a reply that says why there is none.</summary>
internal struct Decision
{
    public HostState Host { get; set; }

    public RouteEntry? Route { get; set; }

    /// <summary>The side of the split that the draw chose.</summary>
    public WeightedCluster? Choice { get; set; }

    public Cluster? Cluster { get; set; }

    public ClusterState? ClusterState { get; set; }

    /// <summary>The address that the request asks for, where the cluster goes by that.</summary>
    public OriginalDestination? Destination { get; set; }

    public Endpoint? Endpoint { get; set; }

    /// <summary>Set when there is no endpoint, unless <see cref="ClusterHeader"/> is.</summary>
    public LocalReply? Reply { get; set; }

    /// <summary>There is no endpoint because the cluster has been let go, or has become one of another kind, since the request was routed.</summary>
    public bool IsStale { get; set; }

    /// <summary>The cluster that a header names and nobody has asked for yet.</summary>
    public string? ClusterHeader { get; set; }
}
