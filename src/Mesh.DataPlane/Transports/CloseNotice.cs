using System.Text;

namespace Mesh.DataPlane.Transports;

/// <summary>
/// Adds <c>Connection: close</c> to a response that goes by, so that its reader does not use the connection again: whoever would end the connection instead
/// is too late where somebody waits for it already.
/// </summary>
internal sealed class CloseNotice
{
    private static readonly byte[] Notice = Encoding.ASCII.GetBytes("Connection: close\r\n");

    private readonly List<byte> _line = [];
    private Part _part;
    private ReadOnlyMemory<byte> _ready;

    private enum Part
    {
        None,
        StatusLine,
        Interim,
    }

    /// <summary>The next response, interim ones apart, is the last.</summary>
    public void Begin()
    {
        _part = Part.StatusLine;
        _line.Clear();
    }

    /// <summary>What has found no place in an earlier buffer.</summary>
    public bool TryTake(Span<byte> buffer, out int count)
    {
        count = Math.Min(_ready.Length, buffer.Length);
        _ready.Span[..count].CopyTo(buffer);
        var isThere = !_ready.IsEmpty;
        _ready = _ready[count..];
        return isThere;
    }

    /// <summary>Passes on what has come.</summary>
    /// <returns>How much of the buffer counts; nothing, after something had come, when more is needed.</returns>
    public int Add(Span<byte> buffer, int read)
    {
        if (_part == Part.None || read == 0)
        {
            return read;
        }

        var output = new List<byte>(read + Notice.Length);
        var bytes = buffer[..read];
        while (!bytes.IsEmpty && _part != Part.None)
        {
            var end = bytes.IndexOf((byte)'\n');
            _line.AddRange(end < 0 ? bytes : bytes[..(end + 1)]);
            bytes = end < 0 ? default : bytes[(end + 1)..];
            if (end >= 0)
            {
                output.AddRange(_line);
                EndLine(output);
                _line.Clear();
            }
        }

        output.AddRange(bytes);
        var all = output.ToArray();
        var count = Math.Min(all.Length, buffer.Length);
        all.AsSpan(0, count).CopyTo(buffer);
        _ready = all.AsMemory(count);
        return count;
    }

    private void EndLine(List<byte> output)
    {
        if (_part == Part.Interim)
        {
            _part = _line.Count <= 2 ? Part.StatusLine : Part.Interim;
            return;
        }

        // "HTTP/1.1 200 OK": what is no status line is its reader's to refuse.
        var code = _line.Count > 12 && _line[9] == '1' ? (_line[10], _line[11]) : default;
        if (code == ('0', '1') || _line.Count <= 2)
        {
            // Switching protocols: what follows is no HTTP. Or an empty line, which may stand before a response.
            _part = _line.Count <= 2 ? Part.StatusLine : Part.None;
        }
        else if (code != default)
        {
            _part = Part.Interim;
        }
        else
        {
            output.AddRange(Notice);
            _part = Part.None;
        }
    }
}
