namespace Mesh.DataPlane.Timeouts;

/// <summary>Passes on what is copied, and tells the clock that something moves.</summary>
internal sealed class TouchingStream : Stream
{
    private readonly Stream _inner;
    private readonly RequestClock _clock;

    private TouchingStream(Stream inner, RequestClock clock) => (_inner, _clock) = (inner, clock);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>The stream itself where no clock wants to know.</summary>
    public static Stream Over(Stream stream, RequestClock? clock) => clock is { HasIdle: true } ? new TouchingStream(stream, clock) : stream;

    public override void Flush() => _inner.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => _inner.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _clock.Touch();
        _inner.Write(buffer);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _clock.Touch();
        return _inner.WriteAsync(buffer, cancellationToken);
    }
}
