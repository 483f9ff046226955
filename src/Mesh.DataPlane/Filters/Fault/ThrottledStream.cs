namespace Mesh.DataPlane.Filters.Fault;

/// <summary>A body that comes in slices, twenty a second; what is not used adds up, to a second's worth.</summary>
internal sealed class ThrottledStream(Stream inner, ulong bytesPerSecond, TimeProvider time) : Stream
{
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(50);

    private readonly long _sliceBytes = (long)Math.Clamp(bytesPerSecond / 20, 1, int.MaxValue);
    private readonly long _start = time.GetTimestamp();
    private long _slicesUsed = -1;
    private long _bytesLeft;

    public override bool CanRead => true;

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
        while (!buffer.IsEmpty && !TryRefill(out var wait))
        {
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
        }

        var read = await inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _bytesLeft)], cancellationToken).ConfigureAwait(false);
        _bytesLeft -= read;
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush() => inner.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => inner.WriteAsync(buffer, cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    // The first slice is there at once, the others with time.
    private bool TryRefill(out TimeSpan wait)
    {
        wait = default;
        if (_bytesLeft > 0)
        {
            return true;
        }

        var elapsed = time.GetElapsedTime(_start);
        var slices = elapsed.Ticks / Slice.Ticks;
        if (slices <= _slicesUsed)
        {
            wait = ((_slicesUsed + 1) * Slice) - elapsed;
            return false;
        }

        _bytesLeft = Math.Min(slices - _slicesUsed, 20) * _sliceBytes;
        _slicesUsed = slices;
        return true;
    }
}
