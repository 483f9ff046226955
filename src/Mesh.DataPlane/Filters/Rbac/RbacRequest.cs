using System.Net;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Matching;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>What rules look at: a request with the connection that it came in by, or a connection alone.</summary>
internal readonly ref struct RbacRequest
{
    // A name that may be written in more than one way, all of which lead to the same host.
    private static readonly System.Buffers.SearchValues<char> _upperCase = System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    public RbacRequest(RequestView view, ConnectionFacts? connection, IPAddress? remoteAddress, HttpExchange? exchange)
    {
        View = view;
        IsHttp = true;
        Connection = connection;
        RemoteAddress = remoteAddress;
        Exchange = exchange;
        CanonicalAuthority = Canonical(view.Authority);
    }

    /// <param name="connection">A connection of which nobody knows whether requests come by it.</param>
    public RbacRequest(ConnectionFacts connection)
    {
        Connection = connection;
        RemoteAddress = connection.RemoteEndPoint?.Address;
    }

    public RequestView View { get; }

    /// <summary>Whether there is a request at all.</summary>
    public bool IsHttp { get; }

    /// <summary><see langword="null"/> in process.</summary>
    public ConnectionFacts? Connection { get; }

    /// <summary>Who sent the request, as far as those who passed it on are believed.</summary>
    public IPAddress? RemoteAddress { get; }

    /// <summary>Whose dynamic metadata count; <see langword="null"/> where there are none.</summary>
    public HttpExchange? Exchange { get; }

    /// <summary>The authority in lower case and without the dot that may end a host's name; <see langword="null"/> when it is that already.</summary>
    public string? CanonicalAuthority { get; }

    /// <summary>The same request with another target.</summary>
    public RbacRequest WithTarget(ReadOnlySpan<char> pathAndQuery) => new(View.WithTarget(pathAndQuery), Connection, RemoteAddress, Exchange);

    private static string? Canonical(ReadOnlySpan<char> authority)
    {
        var colon = authority.LastIndexOf(':');
        var port = colon < 0 || authority.EndsWith("]") ? [] : authority[colon..];
        var host = authority[..(authority.Length - port.Length)];
        var hasDot = host.Length > 1 && host[^1] == '.';
        return hasDot || host.ContainsAny(_upperCase) ? string.Concat(host.TrimEnd('.'), port).ToLowerInvariant() : null;
    }
}
