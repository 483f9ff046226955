using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Mesh.Client.DefaultProxy;

/// <summary>The host and port that a caller wants to reach.</summary>
internal readonly record struct ProxyTarget(string Host, int Port)
{
    /// <summary>As it stands in a URI.</summary>
    public string Authority
        => string.Create(CultureInfo.InvariantCulture, $"{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}");

    /// <summary>Reads <c>host:port</c> as it stands behind CONNECT: both, and nothing else (RFC 9112, section 3.2.3).</summary>
    public static ProxyTarget? Parse(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon <= 0
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port is < 1 or > ushort.MaxValue)
        {
            return null;
        }

        var host = text[..colon];
        if (host is ['[', .., ']'])
        {
            return IPAddress.TryParse(host[1..^1], out var address) && address.AddressFamily == AddressFamily.InterNetworkV6
                ? new ProxyTarget(address.ToString(), port)
                : null;
        }

        return Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4 ? new ProxyTarget(host, port) : null;
    }

    public override string ToString() => Authority;
}
