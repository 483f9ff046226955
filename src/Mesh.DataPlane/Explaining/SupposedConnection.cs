using System.Net;
using Mesh.DataPlane.Configuration;
using Mesh.DataPlane.Hosts;

namespace Mesh.DataPlane.Explaining;

/// <summary>A connection that nobody makes.</summary>
/// <param name="Host">The host.</param>
/// <param name="Port">Its port.</param>
internal sealed record SupposedConnection(string Host, int Port)
{
    /// <summary>How a host is written that connections are made to, in place of requests.</summary>
    public const string Scheme = "tcp://";

    /// <summary>The server name (SNI) that its first bytes ask for, in TLS; <see langword="null"/> when they are not TLS.</summary>
    public string? ServerName { get; init; }

    /// <summary>The protocols (ALPN) that they offer.</summary>
    public IReadOnlyList<string> ApplicationProtocols { get; init; } = [];

    /// <summary>The random draw that it would have; any when <see langword="null"/>.</summary>
    public ulong? Draw { get; init; }

    /// <summary>Reads where it would go: <c>tcp://mysql:3306</c>.</summary>
    /// <exception cref="FormatException">It is no host with a port.</exception>
    public static SupposedConnection Parse(string text)
    {
        text = text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? text[Scheme.Length..] : text;
        if (IPEndPoint.TryParse(text, out var address) && address.Port > 0 && text.LastIndexOf(':') > text.LastIndexOf(']'))
        {
            return new SupposedConnection(address.Address.ToString(), address.Port);
        }

        return text.Contains(':', StringComparison.Ordinal) && HostNames.TryParse(text, out var key)
            ? new SupposedConnection(key.Host, key.Port)
            : throw new FormatException("host is no host with a port, such as tcp://mysql:3306");
    }
}
