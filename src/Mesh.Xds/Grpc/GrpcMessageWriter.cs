using System.Buffers.Binary;
using System.IO.Pipelines;
using Google.Protobuf;

namespace Mesh.Xds.Grpc;

/// <summary>Writes length-prefixed messages to either end's body: a request stream wrapped by a <see cref="PipeWriter"/>, or Kestrel's <c>HttpResponse.BodyWriter</c>.</summary>
/// <param name="pipe">The body; not completed by this writer.</param>
/// <param name="encoding">What <c>grpc-encoding</c> announces.</param>
internal sealed class GrpcMessageWriter(PipeWriter pipe, GrpcEncoding encoding)
{
    /// <summary>Below this gzip costs more than it saves; a message may go uncompressed whatever the encoding announced.</summary>
    private const int MinimumToCompress = 1024;

    /// <summary>Writes one message and flushes; completes when the peer's flow control has taken it.</summary>
    /// <exception cref="RpcException">The reading end is gone.</exception>
    public async ValueTask WriteAsync(IMessage message, CancellationToken cancellationToken)
    {
        Write(message);
        var result = await pipe.FlushAsync(cancellationToken);
        if (result.IsCanceled)
        {
            throw new OperationCanceledException("the write was cancelled");
        }

        if (result.IsCompleted)
        {
            throw new RpcException(StatusCode.Unavailable, "the peer no longer reads the stream");
        }
    }

    private void Write(IMessage message)
    {
        var size = message.CalculateSize();
        if (encoding == GrpcEncoding.Gzip && size >= MinimumToCompress)
        {
            var compressed = GrpcEncodings.Gzip(message.ToByteArray());
            WritePrefix(compressed: true, compressed.Length);
            compressed.CopyTo(pipe.GetSpan(compressed.Length));
            pipe.Advance(compressed.Length);
            return;
        }

        WritePrefix(compressed: false, size);
        message.WriteTo(pipe);
    }

    private void WritePrefix(bool compressed, int length)
    {
        var prefix = pipe.GetSpan(GrpcMessageReader.HeaderSize);
        prefix[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32BigEndian(prefix[1..], (uint)length);
        pipe.Advance(GrpcMessageReader.HeaderSize);
    }
}
