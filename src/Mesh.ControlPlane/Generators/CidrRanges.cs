using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Envoy.Config.Core.V3;

namespace Mesh.ControlPlane.Generators;

/// <summary>Subnets as documents write them (<c>10.1.2.3</c>, <c>10.0.0.0/8</c>) become ranges of addresses.</summary>
internal static class CidrRanges
{
    /// <summary>The ranges, sorted, each once, with the bits behind the prefix cleared, so that equal ranges look equal. All addresses together are no range.</summary>
    public static IEnumerable<CidrRange> Of(IEnumerable<string> subnets)
        => subnets.Select(Parse).OfType<CidrRange>().Where(range => range.PrefixLen > 0).Distinct()
            .OrderBy(range => range.AddressPrefix, StringComparer.Ordinal).ThenBy(range => range.PrefixLen);

    /// <returns>The range, or <see langword="null"/> for what is no subnet.</returns>
    private static CidrRange? Parse(string subnet)
    {
        var slash = subnet.IndexOf('/', StringComparison.Ordinal);
        if (!IPAddress.TryParse(slash < 0 ? subnet : subnet.AsSpan(0, slash), out var address))
        {
            return null;
        }

        var length = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        if (slash >= 0)
        {
            if (!int.TryParse(subnet.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var given) || given > length)
            {
                return null;
            }

            length = given;
        }

        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            var kept = Math.Clamp(length - (i * 8), 0, 8);
            bytes[i] &= (byte)(0xFF << (8 - kept));
        }

        return new CidrRange { AddressPrefix = new IPAddress(bytes).ToString(), PrefixLen = (uint)length };
    }
}
