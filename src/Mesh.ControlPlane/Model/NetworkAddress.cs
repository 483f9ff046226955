using System.Globalization;
using System.Net;

namespace Mesh.ControlPlane.Model;

/// <summary>Where something listens: an IP address and a port as a rule; <c>unix:///path</c> or a host name where a document says so.</summary>
internal readonly record struct NetworkAddress(string Ip, uint Port)
{
    public const string UnixPrefix = "unix://";

    /// <summary>Reads <c>10.0.0.7:8080</c> or <c>[::1]:8080</c>.</summary>
    public static bool TryParse(string text, out NetworkAddress address)
    {
        address = default;
        var colon = text.LastIndexOf(':');
        if (colon <= 0
            || !uint.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port is 0 or > ushort.MaxValue)
        {
            return false;
        }

        var host = text.AsSpan(0, colon);
        var bracketed = host.Length > 2 && host[0] == '[' && host[^1] == ']';
        if (bracketed)
        {
            host = host[1..^1];
        }

        if (!IPAddress.TryParse(host, out var ip) || (host.Contains(':') && !bracketed))
        {
            return false;
        }

        address = new NetworkAddress(ip.ToString(), port);
        return true;
    }

    public override string ToString() => Ip.Contains(':', StringComparison.Ordinal) ? $"[{Ip}]:{Port}" : $"{Ip}:{Port}";
}
