using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.Routing;

/// <summary>One choice of a split: it has the points below <see cref="UpperBound"/> that its predecessors leave.</summary>
internal sealed record WeightedCluster(Cluster Cluster, uint Weight, uint UpperBound);
