using System.Buffers.Binary;

namespace Mesh.Xds.Grpc;

/// <summary>
/// Watches the frames that come in on one HTTP/2 connection for GOAWAY. SocketsHttpHandler keeps a GOAWAY to itself when it lets the
/// open streams finish, but a server that complains about pings says so only there.
/// </summary>
/// <param name="inner">The connection, after TLS.</param>
/// <param name="onGoAway">Called with the error code of each GOAWAY.</param>
internal sealed class GoAwayObservingStream(Stream inner, Action<uint> onGoAway) : Stream
{
    private const int FrameHeaderSize = 9;
    private const byte GoAwayType = 7;
    private const int ErrorCodeEnd = 8;

    // The header of the current frame, followed by the first bytes of a GOAWAY's payload.
    private readonly byte[] _buffer = new byte[FrameHeaderSize + ErrorCodeEnd];
    private int _buffered;
    private int _payloadLeft;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);
        Observe(buffer.Span[..read]);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = inner.Read(buffer, offset, count);
        Observe(buffer.AsSpan(offset, read));
        return read;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => inner.WriteAsync(buffer, offset, count, cancellationToken);

    public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

    public override void Flush() => inner.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override ValueTask DisposeAsync() => inner.DisposeAsync();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }
    }

    private void Observe(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var wanted = _buffered < FrameHeaderSize ? FrameHeaderSize
                : _buffer[3] == GoAwayType ? FrameHeaderSize + ErrorCodeEnd
                : 0;
            if (_buffered < wanted)
            {
                var taken = Math.Min(wanted - _buffered, bytes.Length);
                bytes[..taken].CopyTo(_buffer.AsSpan(_buffered));
                _payloadLeft -= _buffered >= FrameHeaderSize ? taken : 0;
                _buffered += taken;
                bytes = bytes[taken..];
                if (_buffered == FrameHeaderSize)
                {
                    _payloadLeft = (_buffer[0] << 16) | (_buffer[1] << 8) | _buffer[2];
                }
                else if (_buffered == FrameHeaderSize + ErrorCodeEnd)
                {
                    onGoAway(BinaryPrimitives.ReadUInt32BigEndian(_buffer.AsSpan(FrameHeaderSize + 4)));
                }
            }
            else
            {
                var skipped = Math.Min(_payloadLeft, bytes.Length);
                _payloadLeft -= skipped;
                bytes = bytes[skipped..];
            }

            var headerOnly = _buffered == FrameHeaderSize && _buffer[3] != GoAwayType;
            if (_payloadLeft <= 0 && (headerOnly || _buffered == FrameHeaderSize + ErrorCodeEnd))
            {
                _buffered = 0;
                _payloadLeft = 0;
            }
        }
    }
}
