using System.Buffers.Binary;

namespace Mesh.DataPlane.Transports;

/// <summary>
/// Ends a connection of requests when its time is over, without losing one: on HTTP/1.1 the handler reads in the next response that it is the last; on
/// HTTP/2 it reads a GOAWAY that the server has not sent, lets its streams end and opens another connection for
/// the next. So a connection that nobody uses carries one or two more requests at most.
/// </summary>
internal sealed class ConnectionEnd : IDisposable
{
    private const int HeaderLength = 9;
    private const int LongestRequestLine = 8192;
    private const byte HeadersType = 1;
    private const byte PushPromiseType = 5;
    private const byte ContinuationType = 9;
    private const byte EndHeaders = 4;

    private static readonly byte[] GoAway = CreateGoAway();

    private readonly ServedRequests? _served;
    private readonly bool _isHttp2;
    private readonly ITimer _timer;
    private readonly byte[] _header = new byte[HeaderLength];
    private int _headerLength;
    private int _payload;
    private bool _isWithinHeaders;
    private ServedRequests? _last;
    private int _told = -1;
    private volatile bool _followsRead;
    private volatile bool _isDue;

    /// <param name="served">What follows its requests anyway.</param>
    /// <param name="isHttp2">What is spoken.</param>
    /// <param name="after">How long it lasts.</param>
    /// <param name="time">The clock.</param>
    public ConnectionEnd(ServedRequests? served, bool isHttp2, TimeSpan after, TimeProvider time)
    {
        (_served, _isHttp2) = (served, isHttp2);
        _timer = time.CreateTimer(static e => ((ConnectionEnd)e!).OnDue(), this, after, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether what is read has to pass <see cref="Received"/>.</summary>
    public bool Reads => _isHttp2 || _isDue;

    /// <summary>Whether what is written has to pass <see cref="Sending"/> and <see cref="Sent"/>.</summary>
    public bool Writes => _isDue && !_isHttp2;

    /// <summary>What the handler has to read before anything else.</summary>
    public bool TryTake(Span<byte> buffer, out int count)
    {
        if (_last is not null)
        {
            return _last.TryTake(buffer, out count);
        }

        count = 0;
        if (!_isHttp2 || !_isDue || _told == GoAway.Length || (_told <= 0 && (_told < 0 || _payload > 0 || _headerLength > 0 || _isWithinHeaders)))
        {
            return false;
        }

        count = Math.Min(buffer.Length, GoAway.Length - _told);
        GoAway.AsSpan(_told, count).CopyTo(buffer);
        _told += count;
        return true;
    }

    /// <summary>Before bytes are waited for.</summary>
    public void Reading() => _followsRead = _isDue;

    /// <summary>When bytes have come in.</summary>
    /// <returns>How much of the buffer counts; nothing, after something had come, when more is needed.</returns>
    public int Received(Span<byte> buffer, int read)
    {
        if (_isHttp2)
        {
            Follow(buffer[..read]);
        }

        return _last?.Received(buffer, read) ?? read;
    }

    /// <summary>Before bytes go out.</summary>
    public void Sending(ReadOnlySpan<byte> bytes)
    {
        // An answer that is being waited for already would not be seen; the one after it will.
        if (_last is null && _served is null && _followsRead && BeginsRequest(bytes))
        {
            _last = new ServedRequests(stats: null, maxRequests: 1);
        }

        _last?.Sending(bytes);
    }

    /// <summary>After they have.</summary>
    public void Sent() => _last?.Sent();

    public void Dispose() => _timer.Dispose();

    private static byte[] CreateGoAway()
    {
        // Every stream that there is may end: the last that counts is the last that there can be. NO_ERROR.
        var frame = new byte[HeaderLength + 8];
        frame[2] = 8;
        frame[3] = 7;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(HeaderLength), int.MaxValue);
        return frame;
    }

    // The handler begins a request with a write of its own. Should a body look like one, no harm is done: the connection ends after a response all the same.
    private static bool BeginsRequest(ReadOnlySpan<byte> bytes)
    {
        var line = bytes[..Math.Min(bytes.Length, LongestRequestLine)];
        var end = line.IndexOf("\r\n"u8);
        return end > 0 && line[..end].EndsWith(" HTTP/1.1"u8);
    }

    private void OnDue()
    {
        _isDue = true;
        _served?.EndNext();
    }

    private void Follow(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_payload > 0)
            {
                var skipped = Math.Min(_payload, bytes.Length);
                _payload -= skipped;
                bytes = bytes[skipped..];
                continue;
            }

            var taken = Math.Min(HeaderLength - _headerLength, bytes.Length);
            bytes[..taken].CopyTo(_header.AsSpan(_headerLength));
            _headerLength += taken;
            bytes = bytes[taken..];
            if (_headerLength == HeaderLength)
            {
                _headerLength = 0;
                _payload = (_header[0] << 16) | (_header[1] << 8) | _header[2];

                // Nothing may stand between a block of headers and its continuation, and nothing before the settings.
                _isWithinHeaders = _header[3] is HeadersType or PushPromiseType or ContinuationType && (_header[4] & EndHeaders) == 0;
                _told = Math.Max(_told, 0);
            }
        }
    }
}
