using System.Buffers.Binary;

namespace Mesh.DataPlane.Transports;

/// <summary>
/// A connection of HTTP/2 on which no more than so many requests run at a time (Envoy's <c>max_concurrent_streams</c>). The handler keeps to what
/// SETTINGS allow and opens another connection beyond; so it reads our number before the server has said anything, and the lesser of the two
/// afterwards. The server never sees the acknowledgement of what it has not sent.
/// </summary>
internal sealed class StreamLimit(Stream inner, uint limit) : Stream
{
    private const int HeaderLength = 9;
    private const int SettingLength = 6;
    private const int MaxFrame = 16_384; // what the handler accepts; a larger frame is its to refuse
    private const byte SettingsType = 4;
    private const byte AckFlag = 1;
    private const ushort MaxConcurrentStreams = 3;

    private const int PrefaceLength = 24;

    private ReadOnlyMemory<byte> _ready = Settings(limit);
    private int _payload;
    private byte[] _held = [];

    private int _outgoingPayload = PrefaceLength;
    private byte[] _outgoingHeld = [];
    private bool _isAcknowledged;

    public override bool CanRead => inner.CanRead;

    public override bool CanSeek => false;

    public override bool CanWrite => inner.CanWrite;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (!_ready.IsEmpty)
            {
                var count = Math.Min(_ready.Length, buffer.Length);
                _ready[..count].CopyTo(buffer);
                _ready = _ready[count..];
                return count;
            }

            var read = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                if (buffer.IsEmpty || _held.Length == 0)
                {
                    return 0;
                }

                // The connection broke off within a frame.
                (_ready, _held) = (_held, []);
            }
            else if (_held.Length == 0)
            {
                // Nearly always: nothing but the bodies and headers of responses.
                var whole = Limit(buffer.Span[..read]);
                _held = buffer.Span[whole..read].ToArray();
                if (whole > 0)
                {
                    return whole;
                }
            }
            else
            {
                Join(buffer.Span[..read]);
            }
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // The handler reads HTTP/2 asynchronously.
    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    // And writes it so, one write after the other.
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => inner.WriteAsync(_isAcknowledged ? buffer : WithoutAcknowledgement(buffer), cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    public override void Flush() => inner.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private static int SizeOf(ReadOnlySpan<byte> frame) => (frame[0] << 16) | (frame[1] << 8) | frame[2];

    private static bool IsSettings(ReadOnlySpan<byte> frame) => frame[3] == SettingsType && (frame[4] & AckFlag) == 0 && SizeOf(frame) <= MaxFrame;

    private static byte[] Settings(uint limit)
    {
        var frame = new byte[HeaderLength + SettingLength];
        frame[2] = SettingLength;
        frame[3] = SettingsType;
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(HeaderLength), MaxConcurrentStreams);
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(HeaderLength + 2), limit);
        return frame;
    }

    private void Join(ReadOnlySpan<byte> bytes)
    {
        byte[] joined = [.. _held, .. bytes];
        var whole = Limit(joined);
        _ready = joined.AsMemory(0, whole);
        _held = joined[whole..];
    }

    /// <summary>What goes out of the bytes: all but the first acknowledgement, which answers our own frame.</summary>
    private ReadOnlyMemory<byte> WithoutAcknowledgement(ReadOnlyMemory<byte> bytes)
    {
        if (_outgoingHeld.Length > 0)
        {
            bytes = (byte[])[.. _outgoingHeld, .. bytes.Span];
            _outgoingHeld = [];
        }

        var position = 0;
        while (position < bytes.Length)
        {
            if (_outgoingPayload > 0)
            {
                var skipped = Math.Min(_outgoingPayload, bytes.Length - position);
                _outgoingPayload -= skipped;
                position += skipped;
                continue;
            }

            var frame = bytes.Span[position..];
            if (frame.Length < HeaderLength)
            {
                _outgoingHeld = frame.ToArray();
                return bytes[..position];
            }

            if (frame[3] == SettingsType && (frame[4] & AckFlag) != 0)
            {
                _isAcknowledged = true;
                return (byte[])[.. bytes.Span[..position], .. frame[HeaderLength..]];
            }

            _outgoingPayload = SizeOf(frame);
            position += HeaderLength;
        }

        return bytes;
    }

    /// <summary>Limits the number wherever it stands.</summary>
    /// <returns>How many of the bytes can be read; what comes after is the beginning of a frame that has to be whole first.</returns>
    private int Limit(Span<byte> bytes)
    {
        var position = 0;
        while (position < bytes.Length)
        {
            if (_payload > 0)
            {
                var skipped = Math.Min(_payload, bytes.Length - position);
                _payload -= skipped;
                position += skipped;
                continue;
            }

            var frame = bytes[position..];
            if (frame.Length < HeaderLength)
            {
                return position;
            }

            var size = SizeOf(frame);
            position += HeaderLength;
            if (!IsSettings(frame))
            {
                _payload = size;
                continue;
            }

            if (frame.Length < HeaderLength + size)
            {
                return position - HeaderLength;
            }

            for (var settings = frame.Slice(HeaderLength, size); settings.Length >= SettingLength; settings = settings[SettingLength..])
            {
                if (BinaryPrimitives.ReadUInt16BigEndian(settings) == MaxConcurrentStreams)
                {
                    BinaryPrimitives.WriteUInt32BigEndian(settings[2..], Math.Min(limit, BinaryPrimitives.ReadUInt32BigEndian(settings[2..])));
                }
            }

            position += size;
        }

        return position;
    }
}
