using System.Net;
using Mesh.DataPlane.Hosts;
using Microsoft.Extensions.Logging;

namespace Mesh.Client.DefaultProxy;

/// <summary>
/// The process's <see cref="HttpClient.DefaultProxy"/>: sends what comes from clients that know nothing of the mesh to its listener. What the mesh sends
/// itself, or has seen, and what goes to this machine, keeps the way it had; so does TLS that goes by a proxy already.
/// </summary>
internal sealed partial class MeshProxy(IPEndPoint listener, ProxyToken token, IWebProxy previous, string clusterDomain, ILogger logger) : IWebProxy, ICredentials
{
    // Requests in clear text come in a tunnel, before which the caller proves itself once: see Socks5Handshake.
    private readonly Uri _clearText = new($"socks5://{listener}");
    private readonly Uri _tls = new($"http://{listener}");
    private readonly NetworkCredential _credential = new(ProxyToken.User, token.Secret);
    private readonly MeshDomains _domains = new(clusterDomain);
    private int _told;
    private bool _isClosed;

    public IWebProxy Previous => previous;

    public ICredentials? Credentials
    {
        get => this;
        set => throw new NotSupportedException("The credentials of the mesh's proxy are the mesh's. Set Mesh:Client:DefaultProxy to false and HttpClient.DefaultProxy to a proxy of your own.");
    }

    /// <summary>The listener is no more; clients that still have this proxy go the way that they would have gone without it.</summary>
    public void Close() => Volatile.Write(ref _isClosed, true);

    public bool IsBypassed(Uri host) => !Takes(host) && previous.IsBypassed(host);

    public Uri? GetProxy(Uri destination)
        => !Takes(destination) ? PreviousFor(destination) : IsSecure(destination) ? _tls : _clearText;

    NetworkCredential? ICredentials.GetCredential(Uri uri, string authType)
        => uri.Port == listener.Port && uri.Host == listener.Address.ToString() ? _credential : previous.Credentials?.GetCredential(uri, authType);

    private bool Takes(Uri destination)
    {
        if (Volatile.Read(ref _isClosed)
            || OwnConnections.AreMade
            || !destination.IsAbsoluteUri
            || destination.IsLoopback
            || !(IsSecure(destination) || destination.Scheme is "http" or "ws"))
        {
            return false;
        }

        if (!IsSecure(destination) || _domains.Contains(destination.IdnHost) || PreviousFor(destination) is not { } other)
        {
            return true;
        }

        if (Interlocked.Exchange(ref _told, 1) == 0)
        {
            Log.Left(logger, other.GetLeftPart(UriPartial.Authority));
        }

        return false;
    }

    private Uri? PreviousFor(Uri destination) => previous.IsBypassed(destination) ? null : previous.GetProxy(destination);

    private static bool IsSecure(Uri uri) => uri.Scheme is "https" or "wss";

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "https of clients that are not the mesh's goes on by the proxy {Proxy}, which was set before (HttpClient.DefaultProxy, HTTPS_PROXY), and not through the mesh. Clear text goes through the mesh, and from there by that proxy.")]
        public static partial void Left(ILogger logger, string proxy);
    }
}
