using System.Net;
using System.Net.Sockets;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.DataPlane.Transports;

/// <summary>Connections over TCP and Unix sockets.</summary>
internal sealed class SocketTransportFactory(TimeProvider time, IRandomSource? random = null, ILogger<SocketTransportFactory>? logger = null, MeshTelemetry? telemetry = null) : IEndpointTransportFactory
{
    public IEndpointTransport Create(Cluster cluster, EndpointResource endpoint, TransportSettings settings)
        => new SocketTransport(endpoint.Address, endpoint.Hostname, settings, cluster.Stats, time, cluster.Load.Find(endpoint))
        {
            Introductions = telemetry?.OwnMetadata is { } own && settings is { IntroducesItself: true, Tls: { IsMesh: true, AsksForWorkload: true } } ? new Introductions(own) : null,
            Random = random ?? SystemRandomSource.Instance,
            Refusals = new TlsRefusals(logger ?? NullLogger<SocketTransportFactory>.Instance, cluster.Name, endpoint.AddressText),
        };
}
