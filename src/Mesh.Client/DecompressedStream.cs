namespace Mesh.Client;

/// <summary>
/// A body that is decompressed while it is read. Decoders stop at the end of the compressed data, which may be one read short of the end of the
/// response; that read is made here, so that a body read to its end has ended.
/// </summary>
internal sealed class DecompressedStream(Stream decompressing, Stream body) : Stream
{
    private bool _ended;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        var read = decompressing.Read(buffer);
        if (read == 0 && buffer.Length > 0 && !_ended)
        {
            _ended = true;
            if (body.ReadByte() >= 0)
            {
                body.Dispose();
            }
        }

        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await decompressing.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (read == 0 && buffer.Length > 0 && !_ended)
        {
            _ended = true;

            // Whatever follows the compressed data is nobody's.
            if (await body.ReadAsync(new byte[1], cancellationToken).ConfigureAwait(false) > 0)
            {
                await body.DisposeAsync().ConfigureAwait(false);
            }
        }

        return read;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await decompressing.DisposeAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            decompressing.Dispose();
        }

        base.Dispose(disposing);
    }
}
