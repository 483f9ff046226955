using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Headers;

namespace Mesh.DataPlane.Routing;

/// <summary>One choice of a split: it has the points below <see cref="UpperBound"/> that its predecessors leave.</summary>
internal sealed record WeightedCluster(Cluster Cluster, uint Weight, uint UpperBound)
{
    /// <summary>What the choice says to the listener's HTTP filters.</summary>
    public FilterConfigLevel? FilterConfigs { get; init; }

    /// <summary>Evaluated before the route's own, whatever level wins.</summary>
    public HeaderMutations? RequestHeaders { get; init; }

    /// <inheritdoc cref="RequestHeaders"/>
    public HeaderMutations? ResponseHeaders { get; init; }

    /// <summary>The authority of requests that go this way.</summary>
    public string? HostRewrite { get; init; }
}
