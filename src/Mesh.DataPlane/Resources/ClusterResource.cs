using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Dns;

namespace Mesh.DataPlane.Resources;

/// <summary>A decoded cluster.</summary>
/// <param name="Name">The name that routes use.</param>
/// <param name="EdsServiceName">The name of its endpoints' resource; <see langword="null"/> when they are inline.</param>
/// <param name="InlineEndpoints">The endpoints of a STATIC or DNS cluster; the latter's have names in place of addresses.</param>
/// <param name="Policy">How hosts are picked and dialled.</param>
internal sealed record ClusterResource(string Name, string? EdsServiceName, EndpointsResource? InlineEndpoints, ClusterPolicy Policy) : Resource
{
    /// <summary>How names become endpoints; unset when there are no names.</summary>
    public DnsClusterSettings? Dns { get; init; }
}
