using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.Transports;

/// <summary>Makes the connections to endpoints: sockets in production, handlers of test servers in the in-memory mesh.</summary>
internal interface IEndpointTransportFactory
{
    IEndpointTransport Create(Cluster cluster, EndpointResource endpoint, TransportSettings settings);
}
