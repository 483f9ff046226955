using Mesh.DataPlane.Telemetry;

namespace Mesh.Server.Telemetry;

/// <summary>The body of a request that does not say how long it is: counts what the application reads of it, and the messages of a gRPC call.</summary>
internal sealed class CountedRequestBody(Stream inner, RequestRecord record) : Stream
{
    private RequestRecord? _record = record;
    private GrpcMessageCount _messages;

    public override bool CanRead => inner.CanRead;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override bool CanTimeout => inner.CanTimeout;

    public override long Length => inner.Length;

    public override long Position
    {
        get => inner.Position;
        set => inner.Position = value;
    }

    public override int ReadTimeout
    {
        get => inner.ReadTimeout;
        set => inner.ReadTimeout = value;
    }

    /// <summary>What is counted.</summary>
    public Stream Inner => inner;

    /// <summary>All of it has been read past this stream.</summary>
    public void Count(ReadOnlySpan<byte> bytes)
    {
        Count(bytes.Length, bytes);
        Count(0, stackalloc byte[1]);
    }

    /// <summary>The request is over: its record is another's from now on.</summary>
    public void End() => _record = null;

    public override int Read(byte[] buffer, int offset, int count) => Count(inner.Read(buffer, offset, count), buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer) => Count(inner.Read(buffer), buffer);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        => Count(await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false), buffer.Span);

    public override void Flush() => inner.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int Count(int read, ReadOnlySpan<byte> buffer)
    {
        if (_record is { } record)
        {
            if (read > 0)
            {
                record.RequestBytes += read;
                if (record.IsGrpc)
                {
                    _messages.Pass(buffer[..read]);
                    record.RequestMessages = _messages.Messages;
                }
            }
            else if (!buffer.IsEmpty && record.RequestEnded == 0)
            {
                record.RequestEnded = record.Time.GetTimestamp();
            }
        }

        return read;
    }
}
