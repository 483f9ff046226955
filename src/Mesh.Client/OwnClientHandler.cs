namespace Mesh.Client;

/// <summary>On clients of the mesh itself: what they connect to is not reached beside the mesh, and they do not go through its proxy.</summary>
internal sealed class OwnClientHandler : DelegatingHandler
{
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        => SendAsync(request, cancellationToken).GetAwaiter().GetResult();

    // Asynchronous, so that the mark ends with it.
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        OwnConnections.Mark();
        return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
    }
}
