using System.Globalization;
using System.Net;

namespace Mesh.DataPlane.Formatting;

/// <summary>Addresses of which a log shows only the network (<c>%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(24)%</c>).</summary>
internal static class AddressMask
{
    /// <param name="argument">The length of the prefix; empty for all of the address.</param>
    /// <param name="address">Tells an address without a port.</param>
    /// <exception cref="FormatException">The argument is no length of a prefix.</exception>
    public static FormatValue Apply(string argument, FormatValue address)
    {
        if (argument.Length == 0)
        {
            return address;
        }

        if (!byte.TryParse(argument, NumberStyles.None, CultureInfo.InvariantCulture, out var length) || length > 128)
        {
            throw new FormatException("the argument is the length of a prefix: 0 to 32, and for IPv6 to 128");
        }

        return (in FormatContext c) => address(c) is { } text && IPAddress.TryParse(text, out var ip) ? Mask(ip, length) : null;
    }

    private static string? Mask(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        if (length > bytes.Length * 8)
        {
            return null;
        }

        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] &= (byte)(0xFF << (8 - Math.Clamp(length - (i * 8), 0, 8)));
        }

        return $"{new IPAddress(bytes)}/{length}";
    }
}
