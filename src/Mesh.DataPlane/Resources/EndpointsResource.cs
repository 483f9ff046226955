using System.Net;

namespace Mesh.DataPlane.Resources;

/// <summary>A decoded ClusterLoadAssignment.</summary>
/// <param name="ClusterName">The resource's name.</param>
/// <param name="Localities">In the order sent.</param>
/// <param name="OverprovisioningFactor">In percent; Envoy's default is 140.</param>
internal sealed record EndpointsResource(string ClusterName, LocalityResource[] Localities, uint OverprovisioningFactor) : Resource
{
    public static EndpointsResource Empty(string name) => new(name, [], 140);
}

/// <summary>The endpoints of one locality and priority.</summary>
internal sealed record LocalityResource(string Locality, uint Priority, uint Weight, EndpointResource[] Endpoints);

/// <summary>One endpoint as sent.</summary>
internal sealed record EndpointResource(EndPoint Address, string Hostname, uint Weight, EndpointHealth Health, IReadOnlyDictionary<string, string> Labels);
