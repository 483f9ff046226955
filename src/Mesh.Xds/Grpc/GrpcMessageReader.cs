using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Google.Protobuf;

namespace Mesh.Xds.Grpc;

/// <summary>
/// Reads length-prefixed messages (gRPC over HTTP/2, "Length-Prefixed-Message") from either end's body: a response stream wrapped by
/// <see cref="PipeReader.Create(Stream, StreamPipeReaderOptions?)"/>, or Kestrel's <c>HttpRequest.BodyReader</c>.
/// </summary>
/// <param name="pipe">The body; not completed by this reader.</param>
/// <param name="encoding">What the peer's <c>grpc-encoding</c> said; see <see cref="GrpcEncodings.Parse"/>.</param>
/// <param name="maxMessageSize">The limit in bytes of one message, before and after decompression.</param>
internal sealed class GrpcMessageReader(PipeReader pipe, GrpcEncoding encoding, int maxMessageSize = GrpcMessageReader.DefaultMaxMessageSize)
{
    /// <summary>16 MiB: a state-of-the-world response carries a whole mesh, so gRPC's usual 4 MiB are too few.</summary>
    public const int DefaultMaxMessageSize = 16 * 1024 * 1024;

    internal const int HeaderSize = 5;

    /// <summary>Reads the next message, or <see langword="null"/> when the body has ended between messages.</summary>
    /// <exception cref="RpcException">
    /// RESOURCE_EXHAUSTED: larger than the limit (known from the prefix, before anything is allocated for it);
    /// INTERNAL: the body ended inside a message, or the prefix or the message is malformed.
    /// </exception>
    public async ValueTask<T?> ReadAsync<T>(MessageParser<T> parser, CancellationToken cancellationToken)
        where T : class, IMessage<T>
    {
        // 1. The prefix.
        var buffer = await FillAsync(HeaderSize, cancellationToken);
        if (buffer.IsEmpty)
        {
            pipe.AdvanceTo(buffer.End);
            return null;
        }

        var (compressed, length) = ParsePrefix(buffer);

        // 2. The message.
        var total = HeaderSize + length;
        if (buffer.Length < total)
        {
            pipe.AdvanceTo(buffer.Start, buffer.End);
            buffer = await FillAsync(total, cancellationToken);
        }

        try
        {
            var body = buffer.Slice(HeaderSize, length);
            return parser.ParseFrom(compressed ? GrpcEncodings.Gunzip(body, maxMessageSize) : body);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new RpcException(StatusCode.Internal, $"a message of {length} bytes is not a {typeof(T).Name}: {e.Message}", e);
        }
        finally
        {
            pipe.AdvanceTo(buffer.GetPosition(total));
        }
    }

    /// <summary>Reads until that many bytes are buffered; empty when the body ends before the first.</summary>
    /// <remarks>Not <see cref="PipeReader.ReadAtLeastAsync"/>: after an AdvanceTo that examined bytes, a Pipe counts only those that come later and never returns.</remarks>
    private async ValueTask<ReadOnlySequence<byte>> FillAsync(int count, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await pipe.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            if (buffer.Length >= count || (result.IsCompleted && buffer.IsEmpty && count == HeaderSize))
            {
                return buffer;
            }

            if (result.IsCompleted)
            {
                var got = buffer.Length;
                pipe.AdvanceTo(buffer.End);
                throw new RpcException(StatusCode.Internal, $"the body ended inside a message: {got} of {count} bytes");
            }

            pipe.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCanceled)
            {
                throw new OperationCanceledException("the read was cancelled");
            }
        }
    }

    private (bool Compressed, int Length) ParsePrefix(in ReadOnlySequence<byte> buffer)
    {
        Span<byte> bytes = stackalloc byte[HeaderSize];
        buffer.Slice(0, HeaderSize).CopyTo(bytes);
        var length = BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]);
        if (length > maxMessageSize)
        {
            throw new RpcException(StatusCode.ResourceExhausted, $"a message of {length} bytes exceeds the limit of {maxMessageSize} bytes");
        }

        return bytes[0] switch
        {
            0 => (false, (int)length),
            1 when encoding == GrpcEncoding.Gzip => (true, (int)length),
            1 => throw new RpcException(StatusCode.Internal, "a message is marked as compressed, but no grpc-encoding was announced"),
            _ => throw new RpcException(StatusCode.Internal, $"the compressed flag of a message is {bytes[0]} instead of 0 or 1"),
        };
    }
}
