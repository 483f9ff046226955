using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Filters;

namespace Mesh.DataPlane.Routing;

/// <summary>One choice of a split: it has the points below <see cref="UpperBound"/> that its predecessors leave.</summary>
internal sealed record WeightedCluster(Cluster Cluster, uint Weight, uint UpperBound)
{
    /// <summary>What the choice says to the listener's HTTP filters.</summary>
    public FilterConfigLevel? FilterConfigs { get; init; }
}
