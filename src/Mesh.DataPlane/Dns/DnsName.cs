using System.Text;

namespace Mesh.DataPlane.Dns;

/// <summary>Names on the wire (RFC 1035, sections 3.1 and 4.1.4): labels of 63 bytes, 255 bytes together, compressed by pointers to earlier places.</summary>
internal static class DnsName
{
    private const int MaxLabel = 63;
    private const int MaxName = 255;
    private const int PointerBits = 0xC0;

    /// <summary>Whether the text can be asked for: letters, digits, hyphens and underscores, in labels of lawful length.</summary>
    public static bool IsHost(ReadOnlySpan<char> text)
    {
        if (text.EndsWith("."))
        {
            text = text[..^1];
        }

        // On the wire each label has a byte of length before it, and the root's zero ends the name.
        if (text.Length is 0 or > MaxName - 2)
        {
            return false;
        }

        var label = 0;
        foreach (var c in text)
        {
            if (c == '.' ? label == 0 : !(char.IsAsciiLetterOrDigit(c) || c is '-' or '_') || label == MaxLabel)
            {
                return false;
            }

            label = c == '.' ? 0 : label + 1;
        }

        return label > 0;
    }

    /// <summary>Writes an uncompressed name.</summary>
    /// <returns>How many bytes were written.</returns>
    /// <exception cref="DnsFormatException">The text is not a host.</exception>
    public static int Write(ReadOnlySpan<char> name, Span<byte> destination)
    {
        if (!IsHost(name))
        {
            throw new DnsFormatException($"'{name}' cannot be asked for in DNS");
        }

        var written = 0;
        foreach (var range in name.TrimEnd('.').Split('.'))
        {
            var label = name[range];
            destination[written++] = (byte)label.Length;
            written += Encoding.ASCII.GetBytes(label, destination[written..]);
        }

        destination[written++] = 0;
        return written;
    }

    /// <summary>Reads a name, following pointers; <paramref name="position"/> ends behind it.</summary>
    /// <returns>The name in lower case, with a dot after each label (the root's is empty); other bytes than those of host names as <c>\ddd</c>.</returns>
    /// <exception cref="DnsFormatException">It runs over the end, is too long, or its pointers do not lead strictly backwards.</exception>
    public static string Read(ReadOnlySpan<byte> message, ref int position)
    {
        var text = new StringBuilder();
        var length = 0;
        var at = position;
        var jumped = false;

        // Each pointer must lead before the place where this run of labels began: so no chain of them comes back.
        var start = at;
        while (true)
        {
            var first = ByteAt(message, at);
            switch (first & PointerBits)
            {
                case PointerBits:
                    var target = ((first & ~PointerBits) << 8) | ByteAt(message, at + 1);
                    if (target >= start)
                    {
                        throw new DnsFormatException($"the name at byte {position} is compressed by a pointer that does not lead backwards");
                    }

                    if (!jumped)
                    {
                        position = at + 2;
                        jumped = true;
                    }

                    start = at = target;
                    continue;
                case 0:
                    break;
                default:
                    throw new DnsFormatException($"the name at byte {position} has a label of an unknown kind");
            }

            length += first + 1;
            if (length > MaxName)
            {
                throw new DnsFormatException($"the name at byte {position} is longer than {MaxName} bytes");
            }

            at++;
            if (first == 0)
            {
                if (!jumped)
                {
                    position = at;
                }

                return text.ToString();
            }

            if (at + first > message.Length)
            {
                throw new DnsFormatException("a name runs over the end of the message");
            }

            foreach (var b in message.Slice(at, first))
            {
                Append(text, b);
            }

            text.Append('.');
            at += first;
        }
    }

    // A dot or a backslash within a label would read as another name.
    private static void Append(StringBuilder text, byte b)
    {
        if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'_')
        {
            text.Append(char.ToLowerInvariant((char)b));
        }
        else
        {
            text.Append('\\').Append(((int)b).ToString("D3", System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    private static byte ByteAt(ReadOnlySpan<byte> message, int position)
        => position < message.Length ? message[position] : throw new DnsFormatException("a name runs over the end of the message");
}
