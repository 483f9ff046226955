using System.Buffers.Binary;

namespace Mesh.DataPlane.Dns;

/// <summary>Writes questions (RFC 1035, section 4.1), with the OPT record of RFC 6891 unless the server does not understand it.</summary>
internal static class DnsRequest
{
    /// <summary>What fits any path without fragments, by the agreement of DNS Flag Day 2020.</summary>
    public const int UdpPayload = 1232;

    private const int Header = 12;
    private const int QuestionTail = 4;
    private const int Opt = 11;
    private const ushort RecursionDesired = 0x0100;
    private const ushort Internet = 1;

    public static byte[] Write(ushort id, DnsQuestion question, bool extended)
    {
        Span<byte> name = stackalloc byte[256];
        name = name[..DnsName.Write(question.Name, name)];
        var message = new byte[Header + name.Length + QuestionTail + (extended ? Opt : 0)];
        var rest = message.AsSpan();
        BinaryPrimitives.WriteUInt16BigEndian(rest, id);
        BinaryPrimitives.WriteUInt16BigEndian(rest[2..], RecursionDesired);
        BinaryPrimitives.WriteUInt16BigEndian(rest[4..], 1);
        BinaryPrimitives.WriteUInt16BigEndian(rest[10..], (ushort)(extended ? 1 : 0));
        name.CopyTo(rest[Header..]);
        rest = rest[(Header + name.Length)..];
        BinaryPrimitives.WriteUInt16BigEndian(rest, (ushort)question.Type);
        BinaryPrimitives.WriteUInt16BigEndian(rest[2..], Internet);
        if (extended)
        {
            // The root's name, the type, and in place of a class how much the asker takes; the rest is zero.
            BinaryPrimitives.WriteUInt16BigEndian(rest[5..], (ushort)DnsRecordType.Opt);
            BinaryPrimitives.WriteUInt16BigEndian(rest[7..], UdpPayload);
        }

        return message;
    }
}
