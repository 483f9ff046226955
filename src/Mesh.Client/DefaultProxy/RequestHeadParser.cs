using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;

namespace Mesh.Client.DefaultProxy;

/// <summary>
/// Reads heads of HTTP/1.1 messages (RFC 9112) to the letter: whatever two readers might take differently is refused, so that what goes on is the one
/// request that was sent, or none.
/// </summary>
internal static class RequestHeadParser
{
    /// <summary>The longest head, in bytes.</summary>
    public const int MaxLength = 64 * 1024;

    /// <summary>The most header fields.</summary>
    public const int MaxFields = 256;

    private const int MaxMethod = 32;

    // No message is longer than this, and no arithmetic on it overflows.
    private const int MaxDigits = 18;

    private static readonly SearchValues<byte> TokenBytes = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>Looks for the end of a head.</summary>
    /// <returns>Its length with the empty line; 0 when it has not come yet.</returns>
    /// <exception cref="BadRequestException">The head is too long, or breaks off a line otherwise than by CR LF.</exception>
    public static int Measure(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf("\r\n\r\n"u8);
        var head = end < 0 ? bytes : bytes[..(end + 4)];
        if (head.Length > MaxLength)
        {
            throw new BadRequestException(HttpStatusCode.RequestHeaderFieldsTooLarge, $"the head of the request is longer than {MaxLength} bytes");
        }

        for (var at = 0; at < head.Length;)
        {
            var next = head[at..].IndexOfAny((byte)'\r', (byte)'\n', (byte)0);
            if (next < 0)
            {
                break;
            }

            at += next;
            if (head[at] != (byte)'\r' || (at + 1 < head.Length && head[at + 1] != (byte)'\n'))
            {
                throw Bad("a line of the head does not end in CR LF");
            }

            at += 2;
        }

        return end < 0 ? 0 : end + 4;
    }

    /// <param name="head">The head with its empty line, which <see cref="Measure"/> has passed.</param>
    /// <exception cref="BadRequestException">It is no head of a request.</exception>
    public static RequestHead Parse(ReadOnlySpan<byte> head)
    {
        var (method, target, isHttp11) = ParseRequestLine(TakeLine(ref head));
        var fields = new List<KeyValuePair<string, string>>();
        long? length = null;
        var isChunked = false;
        var hosts = 0;
        while (TakeLine(ref head) is { Length: > 0 } line)
        {
            if (fields.Count == MaxFields)
            {
                throw new BadRequestException(HttpStatusCode.RequestHeaderFieldsTooLarge, $"the request has more than {MaxFields} header fields");
            }

            var (name, value) = ParseField(line);
            fields.Add(new(name, value));
            if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
            {
                length = length is null ? ParseLength(value) : throw Bad("Content-Length is there twice");
            }
            else if (name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
            {
                isChunked = !isChunked && value.Equals("chunked", StringComparison.OrdinalIgnoreCase) ? true : throw Bad("Transfer-Encoding is not chunked, once");
            }
            else if (name.Equals("Host", StringComparison.OrdinalIgnoreCase) && ++hosts > 1)
            {
                throw Bad("Host is there twice");
            }
        }

        if (isChunked && length is not null)
        {
            throw Bad("both Content-Length and Transfer-Encoding are there");
        }

        if (isChunked && !isHttp11)
        {
            throw Bad("HTTP/1.0 has no Transfer-Encoding");
        }

        if (isHttp11 && hosts == 0)
        {
            throw Bad("Host is missing");
        }

        return new RequestHead { Method = method, Target = target, IsHttp11 = isHttp11, Fields = fields, ContentLength = length, IsChunked = isChunked };
    }

    /// <summary>One header field, or one of the trailers.</summary>
    public static (string Name, string Value) ParseField(ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf((byte)':');
        if (colon <= 0 || line[..colon].ContainsAnyExcept(TokenBytes))
        {
            // A line that goes on from the one before (obs-fold) begins with a blank, which is no token either.
            throw Bad("a header field has no name");
        }

        var value = line[(colon + 1)..].Trim(" \t"u8);
        foreach (var b in value)
        {
            if (b is < 0x20 and not (byte)'\t' or 0x7f)
            {
                throw Bad($"the header field {Encoding.ASCII.GetString(line[..colon])} has a control character");
            }
        }

        return (Encoding.ASCII.GetString(line[..colon]), Encoding.Latin1.GetString(value));
    }

    private static (string Method, string Target, bool IsHttp11) ParseRequestLine(ReadOnlySpan<byte> line)
    {
        var first = line.IndexOf((byte)' ');
        var last = line.LastIndexOf((byte)' ');
        if (first is <= 0 or > MaxMethod || last <= first + 1 || line[..first].ContainsAnyExcept(TokenBytes))
        {
            throw Bad("the request line is not method, target and version");
        }

        var target = line[(first + 1)..last];
        if (target.ContainsAnyExceptInRange((byte)0x21, (byte)0x7e) || target.Contains((byte)'#'))
        {
            throw Bad("the target has a character that no target has");
        }

        var version = line[(last + 1)..];
        var isHttp11 = version.SequenceEqual("HTTP/1.1"u8);
        if (!isHttp11 && !version.SequenceEqual("HTTP/1.0"u8))
        {
            throw version.StartsWith("HTTP/"u8)
                ? new BadRequestException(HttpStatusCode.HttpVersionNotSupported, "the version is neither HTTP/1.1 nor HTTP/1.0")
                : Bad("the request line is not method, target and version");
        }

        return (Encoding.ASCII.GetString(line[..first]), Encoding.ASCII.GetString(target), isHttp11);
    }

    private static long ParseLength(string value)
        => value.Length is > 0 and <= MaxDigits && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            ? length
            : throw Bad("Content-Length is not one number");

    private static ReadOnlySpan<byte> TakeLine(ref ReadOnlySpan<byte> head)
    {
        var end = head.IndexOf("\r\n"u8);
        var line = head[..end];
        head = head[(end + 2)..];
        return line;
    }

    private static BadRequestException Bad(string reason) => new(HttpStatusCode.BadRequest, reason);
}
