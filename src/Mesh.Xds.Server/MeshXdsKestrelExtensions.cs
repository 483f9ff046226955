using System.Net;
using Mesh;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Microsoft.AspNetCore.Hosting;

/// <summary>Ports for xDS.</summary>
public static class MeshXdsKestrelExtensions
{
    /// <summary>Listens for gRPC in plain text (HTTP/2 with prior knowledge), as Istio's port 15010 does.</summary>
    /// <param name="options">Kestrel's options.</param>
    /// <param name="address">The address to bind.</param>
    /// <param name="port">The port; <c>0</c> lets the system choose.</param>
    public static void ListenMeshXds(this KestrelServerOptions options, IPAddress address, int port)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Listen(new OwnEndPoint(address, port), listen => listen.Protocols = HttpProtocols.Http2);
    }
}
