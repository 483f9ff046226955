using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.OriginalDst;
using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Upstream;

/// <summary>Where a request goes: an endpoint, or a reply that says why there is none.</summary>
internal readonly struct Decision
{
    public HostState Host { get; init; }

    public RouteEntry? Route { get; init; }

    /// <summary>The side of the split that the draw chose.</summary>
    public WeightedCluster? Choice { get; init; }

    public Cluster? Cluster { get; init; }

    public ClusterState? ClusterState { get; init; }

    /// <summary>The address that the request asks for, where the cluster goes by that.</summary>
    public OriginalDestination? Destination { get; init; }

    public Endpoint? Endpoint { get; init; }

    /// <summary>Set when there is no endpoint, unless <see cref="ClusterHeader"/> is.</summary>
    public LocalReply? Reply { get; init; }

    /// <summary>There is no endpoint because the cluster has been let go, or has become one of another kind, since the request was routed.</summary>
    public bool IsStale { get; init; }

    /// <summary>The cluster that a header names and nobody has asked for yet.</summary>
    public string? ClusterHeader { get; init; }
}
