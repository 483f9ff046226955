using Mesh.DataPlane.Hosts;

namespace Mesh.DataPlane.Upstream;

/// <summary>The engine's way out: whoever sends into the mesh, sends here.</summary>
internal interface IUpstream
{
    /// <summary>Routes a request to a host of the mesh, picks an endpoint and sends. Failures of the way are responses, as behind a proxy.</summary>
    /// <exception cref="OperationCanceledException">The caller's own token was cancelled.</exception>
    ValueTask<HttpResponseMessage> SendAsync(HostEntry host, HttpRequestMessage request, CancellationToken cancellationToken);
}
