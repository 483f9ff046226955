namespace Mesh.DataPlane.Transports;

/// <summary>The connections to one endpoint.</summary>
internal interface IEndpointTransport : IDisposable
{
    /// <summary>Sends on a connection to the endpoint; the request's version has been set to what the endpoint speaks.</summary>
    Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken);

    /// <summary>Whether a connection is open, busy or idle.</summary>
    bool HasConnections => false;
}
