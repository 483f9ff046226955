using System.Net;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Transports;

namespace Mesh.Testing;

/// <summary>Hands requests to the handler that answers at an address.</summary>
internal sealed class InMemoryTransport(EndpointDirectory endpoints, string cluster, EndPoint address) : IEndpointTransport
{
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // A mistake in the test, not a failure of an endpoint: it must not turn into a 503.
        var entry = endpoints.Find(address) ?? throw new InvalidOperationException(
            $"Nobody answers at {LogicalHost.AddressOf(address)}, an endpoint of {cluster}: the mesh under test opens no sockets. "
            + $"Add the workload with AddEndpoint, or let a handler answer with MapAddress(\"{LogicalHost.AddressOf(address)}\", handler).");
        var response = await entry.Invoker.SendAsync(request, cancellationToken).ConfigureAwait(false);
        response.RequestMessage ??= request;
        return response;
    }

    public ValueTask<Stream> ConnectAsync(string host, CancellationToken cancellationToken)
        => throw new InvalidOperationException(
            $"The endpoint {LogicalHost.AddressOf(address)} of {cluster} is a handler for requests, and the mesh under test opens no sockets: "
            + "it carries no connections. Test what dials by IMeshConnector against an application with AddMeshClient() and sockets on loopback.");

    public void Dispose()
    {
        // Handlers belong to the test.
    }
}
