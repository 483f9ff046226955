using System.Globalization;
using Mesh.DataPlane.Hosts;

namespace Mesh.DataPlane.Configuration;

/// <summary>Reads <c>host</c> and <c>host:port</c> as people write them.</summary>
internal static class HostNames
{
    private const int HttpPort = 80;

    public static bool TryParse(string text, out HostKey key)
    {
        var colon = text.LastIndexOf(':');
        var host = colon < 0 ? text : text[..colon];
        var port = HttpPort;
        key = default;
        if (Uri.CheckHostName(host) != UriHostNameType.Dns
            || (colon >= 0 && (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > ushort.MaxValue)))
        {
            return false;
        }

        key = new HostKey(host, port);
        return true;
    }
}
