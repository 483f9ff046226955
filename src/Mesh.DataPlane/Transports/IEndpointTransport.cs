using Mesh.DataPlane.Telemetry.Peers;

namespace Mesh.DataPlane.Transports;

/// <summary>The connections to one endpoint.</summary>
internal interface IEndpointTransport : IDisposable
{
    /// <summary>Sends on a connection to the endpoint; the request's version has been set to what the endpoint speaks.</summary>
    Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken);

    /// <summary>Whether the endpoint is told who calls by the connection on which such a request is sent; otherwise the request has to say it.</summary>
    bool Introduces(HttpRequestMessage request) => false;

    /// <summary>Makes a connection that is the caller's alone, outside the pool of requests.</summary>
    /// <param name="host">The host that the caller named; where the cluster speaks TLS it may be asked for, and checked.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="System.Net.Sockets.SocketException">The endpoint cannot be reached, or not within the cluster's <c>connect_timeout</c>.</exception>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The cluster speaks TLS, and the endpoint does not, or is not who it should be.</exception>
    ValueTask<Stream> ConnectAsync(string host, CancellationToken cancellationToken) => throw new NotSupportedException("This transport carries requests only.");

    /// <summary>Whether a connection is open, busy or idle.</summary>
    bool HasConnections => false;

    /// <summary>How many are open, busy or idle.</summary>
    int ActiveConnections => HasConnections ? 1 : 0;

    /// <summary>Who both ends of the latest secure connection have shown themselves to be; <see langword="null"/> where none is secure.</summary>
    Principals? Principals => null;

    /// <summary>Whether every secure connection that is open would still be made, as secrets are now.</summary>
    bool IsTrusted() => true;
}
