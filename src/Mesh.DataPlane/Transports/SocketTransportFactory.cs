using System.Net;
using System.Net.Sockets;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.Transports;

/// <summary>Connections over TCP and Unix sockets.</summary>
internal sealed class SocketTransportFactory(TimeProvider time) : IEndpointTransportFactory
{
    public IEndpointTransport Create(Cluster cluster, EndpointResource endpoint, TransportSettings settings)
        => new SocketTransport(endpoint.Address, endpoint.Hostname, settings, cluster.Stats, time);
}
