using System.Net;

namespace Mesh.DataPlane.Configuration;

/// <summary>Reads the addresses of DNS servers as people write them: <c>10.0.0.10</c>, <c>127.0.0.1:5353</c>, <c>fd00::10</c>, <c>[fd00::10]:5353</c>.</summary>
internal static class DnsServerAddresses
{
    private const int Port = 53;
    private const int DotsOfIPv4 = 3;

    public static bool TryParse(string text, out IPEndPoint server)
    {
        // .NET takes "53" for the address 0.0.0.53.
        if (!IPEndPoint.TryParse(text, out server!) || (!text.Contains('.', StringComparison.Ordinal) && !text.Contains(':', StringComparison.Ordinal))
            || (server.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork && text.Count(c => c == '.') != DotsOfIPv4))
        {
            return false;
        }

        var hasPort = server.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork
            ? text.Contains(':', StringComparison.Ordinal)
            : text.Contains("]:", StringComparison.Ordinal);
        if (!hasPort)
        {
            server.Port = Port;
        }

        return server.Port != 0;
    }
}
