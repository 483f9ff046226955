using System.Net;
using System.Net.Sockets;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Resources;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.DataPlane.Transports;

/// <summary>Connections over TCP and Unix sockets.</summary>
internal sealed class SocketTransportFactory(TimeProvider time, IRandomSource? random = null, ILogger<SocketTransportFactory>? logger = null) : IEndpointTransportFactory
{
    public IEndpointTransport Create(Cluster cluster, EndpointResource endpoint, TransportSettings settings)
        => new SocketTransport(endpoint.Address, endpoint.Hostname, settings, cluster.Stats, time)
        {
            Random = random ?? SystemRandomSource.Instance,
            Refusals = new TlsRefusals(logger ?? NullLogger<SocketTransportFactory>.Instance, cluster.Name, endpoint.AddressText),
        };
}
