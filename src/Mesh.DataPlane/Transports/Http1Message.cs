using System.Buffers.Text;

namespace Mesh.DataPlane.Transports;

/// <summary>
/// Follows the HTTP/1.1 messages of one direction of a connection, to know where each ends. Whoever reads or writes the messages in earnest has
/// the say about what is valid; this only has to agree on the length.
/// </summary>
internal sealed class Http1Message(bool isResponse)
{
    // Of a longer line the rest cannot matter: the fields that decide the length are short.
    private const int MaxLine = 512;

    private readonly byte[] _line = new byte[MaxLine];
    private int _lineLength;
    private Part _part;
    private long _left;
    private bool _hasStartLine;
    private bool _isChunked;
    private long? _contentLength;
    private int _status;

    private enum Part
    {
        Head,
        Body,
        ChunkSize,
        ChunkData,
        ChunkEnd,
        Trailers,
        UntilClose,
        Complete,
    }

    public bool IsComplete => _part == Part.Complete;

    /// <summary>A request whose response has no body whatever its head says.</summary>
    public bool IsHead { get; private set; }

    /// <summary>HTTP/2's preface, not a message at all.</summary>
    public bool IsHttp2 { get; private set; }

    /// <summary>Set on a response before its head is complete.</summary>
    public bool AnswersHead { private get; set; }

    /// <summary>Begins the next message.</summary>
    public void Reset()
    {
        _part = Part.Head;
        _lineLength = 0;
        _left = 0;
        _hasStartLine = _isChunked = IsHead = AnswersHead = false;
        _contentLength = null;
        _status = 0;
    }

    /// <summary>Goes on, at most to the end of the message.</summary>
    /// <returns>How many bytes belong to it.</returns>
    public int Consume(ReadOnlySpan<byte> bytes)
    {
        var rest = bytes;
        while (!rest.IsEmpty && _part != Part.Complete)
        {
            switch (_part)
            {
                case Part.UntilClose:
                    return bytes.Length;
                case Part.Body or Part.ChunkData:
                    var taken = (int)Math.Min(_left, rest.Length);
                    _left -= taken;
                    rest = rest[taken..];
                    if (_left == 0)
                    {
                        _part = _part == Part.Body ? Part.Complete : Part.ChunkEnd;
                    }

                    break;
                default:
                    rest = rest[ReadLine(rest, out var isWhole)..];
                    if (isWhole)
                    {
                        EndLine(_line.AsSpan(0, _lineLength).TrimEnd((byte)'\r'));
                        _lineLength = 0;
                    }

                    break;
            }
        }

        return bytes.Length - rest.Length;
    }

    private int ReadLine(ReadOnlySpan<byte> bytes, out bool isWhole)
    {
        var end = bytes.IndexOf((byte)'\n');
        isWhole = end >= 0;
        var part = isWhole ? bytes[..end] : bytes;
        var kept = Math.Min(part.Length, MaxLine - _lineLength);
        part[..kept].CopyTo(_line.AsSpan(_lineLength));
        _lineLength += kept;
        return isWhole ? end + 1 : bytes.Length;
    }

    private void EndLine(ReadOnlySpan<byte> line)
    {
        switch (_part)
        {
            case Part.Head when !_hasStartLine:
                // Empty lines before a message are tolerated (RFC 9112, section 2.2).
                if (!line.IsEmpty)
                {
                    ReadStartLine(line);
                }

                break;
            case Part.Head when line.IsEmpty:
                EndHead();
                break;
            case Part.Head:
                ReadField(line);
                break;
            case Part.ChunkSize:
                var isSize = Utf8Parser.TryParse(line, out long size, out _, 'x') && size >= 0;
                _left = size;
                _part = !isSize ? Part.UntilClose : size == 0 ? Part.Trailers : Part.ChunkData;
                break;
            case Part.ChunkEnd:
                _part = Part.ChunkSize;
                break;
            case Part.Trailers when line.IsEmpty:
                _part = Part.Complete;
                break;
        }
    }

    private void ReadStartLine(ReadOnlySpan<byte> line)
    {
        _hasStartLine = true;
        if (isResponse)
        {
            var space = line.IndexOf((byte)' ');
            _ = space >= 0 && Utf8Parser.TryParse(line[(space + 1)..], out _status, out _);
        }
        else
        {
            IsHead = line.StartsWith("HEAD "u8);
            IsHttp2 = line.StartsWith("PRI "u8);
            if (line.StartsWith("CONNECT "u8) || IsHttp2)
            {
                _part = Part.UntilClose;
            }
        }
    }

    private void ReadField(ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf((byte)':');
        if (colon < 0)
        {
            return;
        }

        var name = line[..colon];
        var value = line[(colon + 1)..].Trim(" \t"u8);
        if (System.Text.Ascii.EqualsIgnoreCase(name, "content-length"u8))
        {
            _contentLength = Utf8Parser.TryParse(value, out long length, out _) ? length : null;
        }
        else if (System.Text.Ascii.EqualsIgnoreCase(name, "transfer-encoding"u8))
        {
            _isChunked = value.Length >= 7 && System.Text.Ascii.EqualsIgnoreCase(value[^7..], "chunked"u8);
        }
    }

    private void EndHead()
    {
        if (isResponse && _status is >= 100 and < 200 and not 101)
        {
            var answersHead = AnswersHead;
            Reset();
            AnswersHead = answersHead;
            return;
        }

        _left = _contentLength ?? 0;
        _part = _status == 101 ? Part.UntilClose
            : isResponse && (AnswersHead || _status is 204 or 304) ? Part.Complete
            : _isChunked ? Part.ChunkSize
            : _contentLength is > 0 ? Part.Body
            : _contentLength is 0 || !isResponse ? Part.Complete
            : Part.UntilClose;
    }
}
