using System.Globalization;
using System.Net;
using System.Text;

namespace Mesh.Client.DefaultProxy;

/// <summary>The body of a request on a connection: so many bytes, or chunks to the last one. Trailers are read and dropped: no client of .NET can send any.</summary>
internal sealed class RequestBodyStream(ConnectionReader reader, RequestHead head, Action completed) : Stream
{
    private const int MaxLine = 4 * 1024;
    private const int MaxTrailers = 16 * 1024;

    // Fifteen digits of sixteen: no arithmetic on a size overflows.
    private const int MaxSizeDigits = 15;

    private readonly bool _isChunked = head.IsChunked;
    private long _left = head.IsChunked ? 0 : head.ContentLength ?? 0;
    private bool _hasBegun;
    private bool _isComplete = !head.HasBody;
    private Exception? _failure;

    /// <summary>Whether all of it has been read, so that the next request begins here.</summary>
    public bool IsComplete => Volatile.Read(ref _isComplete);

    public bool HasBegun => Volatile.Read(ref _hasBegun);

    /// <summary>Somebody is sending it on, and reads it to its end.</summary>
    public bool IsTaken { get; set; }

    /// <summary>Why it could not be read to its end.</summary>
    public Exception? Failure => Volatile.Read(ref _failure);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Volatile.Write(ref _hasBegun, true);
        if (IsComplete || buffer.IsEmpty)
        {
            return 0;
        }

        try
        {
            if (_isChunked && _left == 0 && !await NextChunkAsync(cancellationToken).ConfigureAwait(false))
            {
                Complete();
                return 0;
            }

            var read = await reader.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                throw new IOException("The caller has left in the middle of its request.");
            }

            _left -= read;
            if (_left == 0)
            {
                if (!_isChunked)
                {
                    Complete();
                }
                else if ((await ReadLineAsync(cancellationToken).ConfigureAwait(false)).Length > 0)
                {
                    throw new BadRequestException(HttpStatusCode.BadRequest, "a chunk is longer than its size");
                }
            }

            return read;
        }
        catch (Exception e)
        {
            Volatile.Write(ref _failure, e);
            throw;
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    // HttpClient.Send copies synchronously.
    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private void Complete()
    {
        Volatile.Write(ref _isComplete, true);
        completed();
    }

    private async ValueTask<bool> NextChunkAsync(CancellationToken cancellationToken)
    {
        var line = await ReadLineAsync(cancellationToken).ConfigureAwait(false);
        var size = line.AsSpan();
        var extension = size.IndexOf(';');
        if (extension >= 0)
        {
            size = size[..extension].TrimEnd(" \t");
        }

        if (size.Length is 0 or > MaxSizeDigits || !long.TryParse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _left))
        {
            throw new BadRequestException(HttpStatusCode.BadRequest, "the size of a chunk is no number");
        }

        if (_left > 0)
        {
            return true;
        }

        var trailers = 0;
        while ((line = await ReadLineAsync(cancellationToken).ConfigureAwait(false)).Length > 0)
        {
            RequestHeadParser.ParseField(Encoding.Latin1.GetBytes(line));
            trailers += line.Length;
            if (trailers > MaxTrailers)
            {
                throw new BadRequestException(HttpStatusCode.RequestHeaderFieldsTooLarge, $"the trailers are longer than {MaxTrailers} bytes");
            }
        }

        return false;
    }

    private async ValueTask<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var bytes = reader.Buffered;
            var end = bytes.IndexOfAny((byte)'\n', (byte)0);
            if (end >= 0 && (end == 0 || bytes[end] != (byte)'\n' || bytes[end - 1] != (byte)'\r' || bytes[..(end - 1)].Contains((byte)'\r')))
            {
                throw new BadRequestException(HttpStatusCode.BadRequest, "a line of the body does not end in CR LF");
            }

            if (end > MaxLine || (end < 0 && bytes.Length > MaxLine))
            {
                throw new BadRequestException(HttpStatusCode.BadRequest, $"a line of the body is longer than {MaxLine} bytes");
            }

            if (end >= 0)
            {
                var line = Encoding.Latin1.GetString(bytes[..(end - 1)]);
                reader.Advance(end + 1);
                return line;
            }

            if (!await reader.FillAsync(cancellationToken).ConfigureAwait(false))
            {
                throw new IOException("The caller has left in the middle of its request.");
            }
        }
    }
}
