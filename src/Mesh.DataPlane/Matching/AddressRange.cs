using System.Net;
using System.Net.Sockets;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Matching;

/// <summary>
/// Envoy's <c>CidrRange</c>. IPv4 stays IPv4 when it comes in the clothes of IPv6 (<c>::ffff:10.0.0.1</c>, as sockets for both give it), and no range
/// of IPv6, not even <c>::/0</c>, holds it.
/// </summary>
internal readonly record struct AddressRange
{
    private const int MappedBits = 96;
    private const int Bytes = 16;

    private static readonly UInt128 _mappedPrefix = new(0, 0xFFFF_0000_0000);

    private readonly UInt128 _network;
    private readonly UInt128 _mask;
    private readonly bool _isV4;

    private AddressRange(UInt128 network, int bits, bool isV4)
    {
        _mask = bits == 0 ? UInt128.Zero : UInt128.MaxValue << (128 - bits);
        _network = network & _mask;
        _isV4 = isV4;
    }

    /// <param name="prefix">The address, of which what lies behind the prefix does not count.</param>
    /// <param name="length">How many bits do.</param>
    /// <param name="path">Where it stands.</param>
    /// <exception cref="ResourceRejectedException">It is no range.</exception>
    public static AddressRange Parse(string prefix, uint length, string path)
    {
        // "10" and "0x0a000001" are addresses to .NET, and to nobody else.
        if (!IPAddress.TryParse(prefix, out var address) || (address.AddressFamily == AddressFamily.InterNetwork && prefix.Count(c => c == '.') != 3) || prefix.Contains('%', StringComparison.Ordinal))
        {
            throw new ResourceRejectedException(path + ".address_prefix", $"'{prefix}' is not an IP address");
        }

        var bits = address.AddressFamily == AddressFamily.InterNetwork ? 32u : 128u;
        if (length > bits)
        {
            throw new ResourceRejectedException(path + ".prefix_len", $"{length} is longer than the address");
        }

        var value = ValueOf(address, out var isV4);
        if (bits == 32)
        {
            return new AddressRange(value, MappedBits + (int)length, isV4: true);
        }

        // A short prefix of a mapped address speaks of more than mapped ones.
        return new AddressRange(value, (int)length, isV4 && length >= MappedBits);
    }

    /// <inheritdoc cref="Parse(string, uint, string)"/>
    public static AddressRange Parse(Envoy.Config.Core.V3.CidrRange message, string path) => Parse(message.AddressPrefix, message.PrefixLen ?? 0, path);

    /// <returns><see langword="false"/> for no address as well.</returns>
    public bool Contains(IPAddress? address)
        => address is not null && (ValueOf(address, out var isV4) & _mask) == _network && isV4 == _isV4;

    private static UInt128 ValueOf(IPAddress address, out bool isV4)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        address.TryWriteBytes(bytes, out var written);
        if (written == sizeof(uint))
        {
            isV4 = true;
            return _mappedPrefix | System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes);
        }

        var value = System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
        isV4 = value >> 32 == _mappedPrefix >> 32;
        return value;
    }
}
