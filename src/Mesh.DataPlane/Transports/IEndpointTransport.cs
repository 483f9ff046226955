namespace Mesh.DataPlane.Transports;

/// <summary>The connections to one endpoint.</summary>
internal interface IEndpointTransport : IDisposable
{
    /// <summary>Sends on a connection to the endpoint; the request's version has been set to what the endpoint speaks.</summary>
    Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken);

    /// <summary>Makes a connection that is the caller's alone, outside the pool of requests.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The endpoint cannot be reached, or not within the cluster's <c>connect_timeout</c>.</exception>
    ValueTask<Stream> ConnectAsync(CancellationToken cancellationToken) => throw new NotSupportedException("This transport carries requests only.");

    /// <summary>Whether a connection is open, busy or idle.</summary>
    bool HasConnections => false;
}
