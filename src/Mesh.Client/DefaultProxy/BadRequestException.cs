using System.Net;

namespace Mesh.Client.DefaultProxy;

/// <summary>What a caller sends is no request that could be passed on; after it nothing on the connection can be trusted.</summary>
internal sealed class BadRequestException(HttpStatusCode status, string reason) : Exception(reason)
{
    public HttpStatusCode Status { get; } = status;
}
