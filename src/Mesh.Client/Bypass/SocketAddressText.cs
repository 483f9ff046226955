using System.Globalization;
using System.Net;

namespace Mesh.Client.Bypass;

/// <summary>
/// Reads an address as the runtime's events write it: <c>InterNetworkV6:28:{1,187,…}</c>, the family, the size, and the bytes behind the family, port first.
/// </summary>
internal static class SocketAddressText
{
    private const int V4Length = 4;
    private const int V6Length = 16;
    private const int PortLength = 2;

    // Behind the port of an IPv6 address.
    private const int FlowLength = 4;

    /// <returns><see langword="null"/> for what is no internet address: a Unix socket, for instance.</returns>
    public static IPEndPoint? Parse(ReadOnlySpan<char> text)
    {
        var (skip, length) = text switch
        {
            _ when text.StartsWith("InterNetworkV6:", StringComparison.Ordinal) => (PortLength + FlowLength, V6Length),
            _ when text.StartsWith("InterNetwork:", StringComparison.Ordinal) => (PortLength, V4Length),
            _ => (0, 0),
        };
        var start = text.IndexOf('{');
        if (length == 0 || start < 0 || text[^1] != '}')
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[skip + length];
        var count = 0;
        var list = text[(start + 1)..^1];
        foreach (var range in list.Split(','))
        {
            if (count == bytes.Length)
            {
                break;
            }

            if (!byte.TryParse(list[range], NumberStyles.None, CultureInfo.InvariantCulture, out bytes[count++]))
            {
                return null;
            }
        }

        if (count < bytes.Length)
        {
            return null;
        }

        var address = new IPAddress(bytes[skip..]);
        return new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, (bytes[0] << 8) | bytes[1]);
    }
}
