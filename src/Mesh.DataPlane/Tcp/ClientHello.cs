using System.Buffers.Binary;
using System.Text;

namespace Mesh.DataPlane.Tcp;

/// <summary>
/// What the first message of a TLS connection says in the clear (RFC 8446 section 4.1.2, RFC 6066 section 3, RFC 7301): whom it is for, and what it
/// wants to speak. Read from bytes of whoever connects: bounded, and never beyond what a length says.
/// </summary>
/// <param name="ServerName">The host name (SNI) in lower case; empty when it names none.</param>
/// <param name="ApplicationProtocols">The protocols that it offers (ALPN), the preferred ones first.</param>
internal sealed record ClientHello(string ServerName, IReadOnlyList<string> ApplicationProtocols)
{
    /// <summary>The longest one that is read, in bytes of the connection: Envoy's, and more than any client sends.</summary>
    public const int MaxLength = 16 * 1024;

    private const int RecordHeader = 5;
    private const byte HandshakeRecord = 22;
    private const byte ClientHelloMessage = 1;
    private const ushort ServerNameExtension = 0;
    private const ushort AlpnExtension = 16;
    private const int MaxName = 255;

    public enum Outcome
    {
        /// <summary>It may become one.</summary>
        Incomplete,

        /// <summary>The first bytes are something else's.</summary>
        NotTls,

        /// <summary>It began like one and breaks the rules, or is too long.</summary>
        Invalid,

        Complete,
    }

    /// <summary>Reads the beginning of a connection.</summary>
    /// <param name="bytes">All that has come so far.</param>
    /// <param name="maxLength">How much of it may be looked at.</param>
    /// <param name="hello">What it says, when it is complete.</param>
    public static Outcome Read(ReadOnlySpan<byte> bytes, int maxLength, out ClientHello? hello)
    {
        hello = null;
        byte[]? joined = null;
        var length = 0;
        var rest = bytes;

        // The message may be cut into records anywhere, its own header included.
        while (true)
        {
            if (!BeginsRecord(rest, out var isOther))
            {
                return !isOther ? (bytes.Length >= maxLength ? Outcome.Invalid : Outcome.Incomplete) : length == 0 && rest.Length == bytes.Length ? Outcome.NotTls : Outcome.Invalid;
            }

            var payload = BinaryPrimitives.ReadUInt16BigEndian(rest[3..]);
            if (payload is 0 or > 16 * 1024)
            {
                return Outcome.Invalid;
            }

            var fragment = rest[RecordHeader..];
            fragment = fragment[..Math.Min(payload, fragment.Length)];
            if (length == 0 && fragment is [not ClientHelloMessage, ..])
            {
                return rest.Length == bytes.Length ? Outcome.NotTls : Outcome.Invalid;
            }

            // Nearly always it is one record, which is read where it stands.
            ReadOnlySpan<byte> message = fragment;
            if (length > 0 || rest.Length > RecordHeader + payload)
            {
                joined ??= new byte[bytes.Length];
                fragment.CopyTo(joined.AsSpan(length));
                message = joined.AsSpan(0, length + fragment.Length);
            }

            length += fragment.Length;
            if (length >= 4)
            {
                var body = (message[1] << 16) | (message[2] << 8) | message[3];
                if (body + 4 + RecordHeader > maxLength)
                {
                    return Outcome.Invalid;
                }

                if (length >= body + 4)
                {
                    return ReadBody(message.Slice(4, body), out hello) ? Outcome.Complete : Outcome.Invalid;
                }
            }

            if (rest.Length < RecordHeader + payload)
            {
                return bytes.Length >= maxLength ? Outcome.Invalid : Outcome.Incomplete;
            }

            rest = rest[(RecordHeader + payload)..];
        }
    }

    // Content type, then a version whose first byte is 3 whatever TLS it is.
    private static bool BeginsRecord(ReadOnlySpan<byte> bytes, out bool isOther)
    {
        isOther = bytes is [not HandshakeRecord, ..] or [_, not 3, ..];
        return !isOther && bytes.Length >= RecordHeader;
    }

    private static bool ReadBody(ReadOnlySpan<byte> body, out ClientHello? hello)
    {
        hello = null;

        // legacy_version and random; session, cipher suites, compression methods.
        if (!Skip(ref body, 34)
            || !TryTake8(ref body, out var session) || session.Length > 32
            || !TryTake16(ref body, out var suites) || suites.Length is 0 || suites.Length % 2 != 0
            || !TryTake8(ref body, out var compression) || compression.Length == 0)
        {
            return false;
        }

        var name = "";
        IReadOnlyList<string> protocols = [];
        if (!body.IsEmpty)
        {
            if (!TryTake16(ref body, out var extensions) || !body.IsEmpty)
            {
                return false;
            }

            while (!extensions.IsEmpty)
            {
                if (extensions.Length < 2)
                {
                    return false;
                }

                var type = BinaryPrimitives.ReadUInt16BigEndian(extensions);
                extensions = extensions[2..];
                if (!TryTake16(ref extensions, out var extension)
                    || (type == ServerNameExtension && !ReadServerName(extension, ref name))
                    || (type == AlpnExtension && !ReadProtocols(extension, ref protocols)))
                {
                    return false;
                }
            }
        }

        hello = new ClientHello(name, protocols);
        return true;
    }

    private static bool ReadServerName(ReadOnlySpan<byte> extension, ref string name)
    {
        // Twice the extension, or two host names in it, would leave it open which of them counts.
        if (name.Length > 0 || !TryTake16(ref extension, out var names) || !extension.IsEmpty || names.IsEmpty)
        {
            return false;
        }

        while (!names.IsEmpty)
        {
            var isHost = names[0] == 0;
            names = names[1..];
            if (!TryTake16(ref names, out var value))
            {
                return false;
            }

            if (!isHost)
            {
                continue;
            }

            if (name.Length > 0 || value.Length is 0 or > MaxName || value.ContainsAnyExceptInRange((byte)'!', (byte)'~'))
            {
                return false;
            }

            name = Encoding.ASCII.GetString(value).ToLowerInvariant();
        }

        return true;
    }

    private static bool ReadProtocols(ReadOnlySpan<byte> extension, ref IReadOnlyList<string> protocols)
    {
        if (protocols.Count > 0 || !TryTake16(ref extension, out var names) || !extension.IsEmpty || names.IsEmpty)
        {
            return false;
        }

        var found = new List<string>();
        while (!names.IsEmpty)
        {
            if (!TryTake8(ref names, out var protocol) || protocol.IsEmpty)
            {
                return false;
            }

            found.Add(Encoding.Latin1.GetString(protocol));
        }

        protocols = found;
        return true;
    }

    private static bool Skip(ref ReadOnlySpan<byte> bytes, int count)
    {
        if (bytes.Length < count)
        {
            return false;
        }

        bytes = bytes[count..];
        return true;
    }

    private static bool TryTake8(ref ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> value)
        => TryTake(ref bytes, 1, bytes.IsEmpty ? 0 : bytes[0], out value);

    private static bool TryTake16(ref ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> value)
        => TryTake(ref bytes, 2, bytes.Length < 2 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(bytes), out value);

    private static bool TryTake(ref ReadOnlySpan<byte> bytes, int prefix, int length, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (bytes.Length < prefix + length)
        {
            return false;
        }

        value = bytes.Slice(prefix, length);
        bytes = bytes[(prefix + length)..];
        return true;
    }
}
