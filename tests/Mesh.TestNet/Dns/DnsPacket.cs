using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Mesh.TestNet.Dns;

/// <summary>Writes messages of DNS by hand, the unlawful ones too: nothing here knows the code under test.</summary>
public sealed class DnsPacket
{
    public const ushort A = 1;
    public const ushort CName = 5;
    public const ushort Soa = 6;
    public const ushort Aaaa = 28;
    public const ushort Opt = 41;

    private readonly List<byte> _bytes = [];

    public int Length => _bytes.Count;

    public static DnsPacket Header(ushort id, ushort flags, int questions = 1, int answers = 0, int authorities = 0, int additional = 0)
        => new DnsPacket().U16(id).U16(flags).U16((ushort)questions).U16((ushort)answers).U16((ushort)authorities).U16((ushort)additional);

    /// <summary>A lawful answer: QR, RD and RA set.</summary>
    public static DnsPacket Response(ushort id, string name, ushort type, int answers = 0, int authorities = 0, int additional = 0, ushort more = 0)
        => Header(id, (ushort)(0x8180 | more), 1, answers, authorities, additional).Name(name).U16(type).U16(1);

    public DnsPacket U8(byte value)
    {
        _bytes.Add(value);
        return this;
    }

    public DnsPacket U16(ushort value) => U8((byte)(value >> 8)).U8((byte)value);

    public DnsPacket U32(uint value) => U16((ushort)(value >> 16)).U16((ushort)value);

    public DnsPacket Bytes(params ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public DnsPacket Name(string name)
    {
        foreach (var label in name.TrimEnd('.').Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            U8((byte)label.Length).Bytes(Encoding.ASCII.GetBytes(label));
        }

        return U8(0);
    }

    public DnsPacket Pointer(int position) => U16((ushort)(0xC000 | position));

    public DnsPacket Address(string name, string address, uint ttl = 60)
    {
        var bytes = IPAddress.Parse(address).GetAddressBytes();
        return Name(name).U16(bytes.Length == 4 ? A : Aaaa).U16(1).U32(ttl).U16((ushort)bytes.Length).Bytes(bytes);
    }

    public DnsPacket Alias(string name, string target, uint ttl = 60)
        => Name(name).U16(CName).U16(1).U32(ttl).Data(new DnsPacket().Name(target));

    public DnsPacket Zone(string name, uint ttl, uint minimum)
        => Name(name).U16(Soa).U16(1).U32(ttl).Data(new DnsPacket().Name("ns." + name).Name("root." + name).U32(1).U32(2).U32(3).U32(4).U32(minimum));

    public byte[] ToArray() => [.. _bytes];

    private DnsPacket Data(DnsPacket data) => U16((ushort)data.Length).Bytes(data.ToArray());
}

/// <summary>A question as a server receives it.</summary>
public sealed record DnsRequestSeen(ushort Id, string Name, ushort Type, bool IsTcp, ushort Flags, ushort? Payload, IPEndPoint From)
{
    public static DnsRequestSeen Read(ReadOnlySpan<byte> message, bool isTcp, IPEndPoint from)
    {
        var name = new StringBuilder();
        var at = 12;
        while (message[at] != 0)
        {
            name.Append(Encoding.ASCII.GetString(message.Slice(at + 1, message[at]))).Append('.');
            at += message[at] + 1;
        }

        var type = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 1)..]);
        var end = at + 5;
        ushort? payload = BinaryPrimitives.ReadUInt16BigEndian(message[10..]) == 1 && BinaryPrimitives.ReadUInt16BigEndian(message[(end + 1)..]) == DnsPacket.Opt
            ? BinaryPrimitives.ReadUInt16BigEndian(message[(end + 3)..])
            : null;
        return new DnsRequestSeen(
            BinaryPrimitives.ReadUInt16BigEndian(message),
            name.ToString(),
            type,
            isTcp,
            BinaryPrimitives.ReadUInt16BigEndian(message[2..]),
            payload,
            from);
    }

    /// <summary>A lawful answer to it.</summary>
    public DnsPacket Respond(int answers = 0, int authorities = 0, int additional = 0, ushort more = 0)
        => DnsPacket.Response(Id, Name, Type, answers, authorities, additional, more);
}
