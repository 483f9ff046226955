using Mesh.DataPlane.Inbound;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Mesh.Server.Connections;

/// <summary>How one of Kestrel's connections ends.</summary>
internal sealed class ConnectionTransport(ConnectionContext connection, bool isHttp2) : IInboundTransport
{
    public void BeginClose()
    {
        // HTTP/2 finishes what it has begun. Kestrel would close an idle HTTP/1.1 connection at once, under the next request perhaps: that one is told
        // by its next response.
        if (isHttp2)
        {
            connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        }
    }

    public void Abort(string reason) => connection.Abort(new ConnectionAbortedException(reason));
}
