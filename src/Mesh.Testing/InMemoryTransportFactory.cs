using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Transports;

namespace Mesh.Testing;

/// <summary>Connections to endpoints that are handlers in this process.</summary>
internal sealed class InMemoryTransportFactory(EndpointDirectory endpoints) : IEndpointTransportFactory
{
    public IEndpointTransport Create(Cluster cluster, EndpointResource endpoint, TransportSettings settings)
        => new InMemoryTransport(endpoints, cluster.Name, endpoint.Address);
}
