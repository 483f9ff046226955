using System.Buffers.Binary;
using System.Net;

namespace Mesh.DataPlane.Dns;

/// <summary>What a server sent, read to the end before anything of it is believed.</summary>
internal sealed record DnsResponse(ushort Id, DnsQuestion Question, DnsResponseCode Code, bool IsTruncated, IReadOnlyList<DnsRecord> Records, TimeSpan? NegativeTimeToLive)
{
    private const int Header = 12;
    private const int RecordTail = 10;
    private const int SmallestRecord = RecordTail + 1;
    private const int SoaNumbers = 20;
    private const ushort Internet = 1;

    // RFC 8767 recommends to hold nothing for longer; RFC 2181 counts an upper bit that is set as zero.
    private static readonly TimeSpan MaxTimeToLive = TimeSpan.FromDays(7);

    /// <summary>Whether it answers this request and not another one, or somebody who guesses.</summary>
    public bool IsAnswerTo(ushort id, DnsQuestion question) => Id == id && (Question == question || Question == default);

    /// <exception cref="DnsFormatException">It is not a well-formed answer to one question.</exception>
    public static DnsResponse Parse(ReadOnlySpan<byte> message)
    {
        if (message.Length < Header)
        {
            throw new DnsFormatException($"a message of {message.Length} bytes has no room for its header");
        }

        var id = BinaryPrimitives.ReadUInt16BigEndian(message);
        var flags = BinaryPrimitives.ReadUInt16BigEndian(message[2..]);
        var questions = BinaryPrimitives.ReadUInt16BigEndian(message[4..]);
        var answers = BinaryPrimitives.ReadUInt16BigEndian(message[6..]);
        var authorities = BinaryPrimitives.ReadUInt16BigEndian(message[8..]);
        var additional = BinaryPrimitives.ReadUInt16BigEndian(message[10..]);
        var code = (DnsResponseCode)(flags & 0x000F);

        // A server that understood nothing of the question does not repeat it.
        var isDeaf = questions == 0 && code is (DnsResponseCode.FormatError or DnsResponseCode.NotImplemented);
        if ((flags & 0x8000) == 0 || (flags & 0x7800) != 0 || (questions != 1 && !isDeaf))
        {
            throw new DnsFormatException("the message is not an answer to a standard query of one question");
        }

        if (questions == 0)
        {
            return new DnsResponse(id, default, code, IsTruncated: false, [], null);
        }

        var position = Header;
        var name = DnsName.Read(message, ref position);
        var type = (DnsRecordType)ReadUInt16(message, position);
        if (ReadUInt16(message, position + 2) != Internet)
        {
            throw new DnsFormatException("the question is not one of the class IN");
        }

        position += 4;
        var question = new DnsQuestion(name, type);
        if ((flags & 0x0200) != 0)
        {
            // The whole of it comes over TCP; what is there may end anywhere.
            return new DnsResponse(id, question, code, IsTruncated: true, [], null);
        }

        if ((answers + authorities + additional) * SmallestRecord > message.Length - position)
        {
            throw new DnsFormatException($"the message announces {answers + authorities + additional} records and is too short for them");
        }

        var records = new List<DnsRecord>(answers);
        for (var i = 0; i < answers; i++)
        {
            if (ReadRecord(message, ref position, out var header) && ReadAnswer(message, header) is { } record)
            {
                records.Add(record);
            }
        }

        TimeSpan? negative = null;
        for (var i = 0; i < authorities; i++)
        {
            if (ReadRecord(message, ref position, out var header) && header.Type == DnsRecordType.Soa)
            {
                negative = NegativeTtl(message, header);
            }
        }

        for (var i = 0; i < additional; i++)
        {
            ReadRecord(message, ref position, out var header);
            if (header.Type == DnsRecordType.Opt)
            {
                code |= (DnsResponseCode)(header.Ttl >> 24 << 4);
            }
        }

        return new DnsResponse(id, question, code, IsTruncated: false, records, negative);
    }

    /// <returns>Whether it is of the class IN.</returns>
    private static bool ReadRecord(ReadOnlySpan<byte> message, ref int position, out RecordHeader header)
    {
        var name = DnsName.Read(message, ref position);
        if (position + RecordTail > message.Length)
        {
            throw new DnsFormatException("a record runs over the end of the message");
        }

        var length = ReadUInt16(message, position + 8);
        var start = position + RecordTail;
        if (start + length > message.Length)
        {
            throw new DnsFormatException("the data of a record runs over the end of the message");
        }

        header = new RecordHeader(name, (DnsRecordType)ReadUInt16(message, position), BinaryPrimitives.ReadUInt32BigEndian(message[(position + 4)..]), start, length);
        var isInternet = ReadUInt16(message, position + 2) == Internet;
        position = start + length;
        return isInternet;
    }

    private static DnsRecord? ReadAnswer(ReadOnlySpan<byte> message, RecordHeader header)
    {
        switch (header.Type)
        {
            case DnsRecordType.A:
            case DnsRecordType.Aaaa:
                var expected = header.Type == DnsRecordType.A ? 4 : 16;
                return header.Length == expected
                    ? new DnsRecord(header.Name, TimeToLive(header.Ttl), new IPAddress(message.Slice(header.Start, expected)), null)
                    : throw new DnsFormatException($"an {header.Type} record has {header.Length} bytes of data");
            case DnsRecordType.CName:
                var position = header.Start;
                var target = DnsName.Read(message, ref position);
                return position == header.Start + header.Length
                    ? new DnsRecord(header.Name, TimeToLive(header.Ttl), null, target)
                    : throw new DnsFormatException("the name in a CNAME record does not fill it");
            default:
                return null;
        }
    }

    // RFC 2308, section 5: the lesser of the record's own time to live and its last number.
    private static TimeSpan NegativeTtl(ReadOnlySpan<byte> message, RecordHeader header)
    {
        var position = header.Start;
        DnsName.Read(message, ref position);
        DnsName.Read(message, ref position);
        if (position + SoaNumbers != header.Start + header.Length)
        {
            throw new DnsFormatException("an SOA record has the wrong length");
        }

        var minimum = BinaryPrimitives.ReadUInt32BigEndian(message[(position + SoaNumbers - sizeof(uint))..]);
        var (own, other) = (TimeToLive(header.Ttl), TimeToLive(minimum));
        return own < other ? own : other;
    }

    private static TimeSpan TimeToLive(uint seconds)
    {
        var time = TimeSpan.FromSeconds(seconds > int.MaxValue ? 0 : seconds);
        return time < MaxTimeToLive ? time : MaxTimeToLive;
    }

    private static ushort ReadUInt16(ReadOnlySpan<byte> message, int position)
        => position + sizeof(ushort) <= message.Length
            ? BinaryPrimitives.ReadUInt16BigEndian(message[position..])
            : throw new DnsFormatException("the message ends too early");

    private readonly record struct RecordHeader(string Name, DnsRecordType Type, uint Ttl, int Start, int Length);
}
