using System.Buffers;
using System.IO.Compression;

namespace Mesh.Xds.Grpc;

/// <summary>Names, compression and bounded decompression of the supported encodings.</summary>
internal static class GrpcEncodings
{
    private const int Chunk = 16 * 1024;

    /// <summary>Reads the value of <c>grpc-encoding</c>; absent means identity.</summary>
    /// <exception cref="RpcException">UNIMPLEMENTED: the encoding is not supported. A server adds <c>grpc-accept-encoding</c> to that answer.</exception>
    public static GrpcEncoding Parse(string? name) => name switch
    {
        null or "" or "identity" => GrpcEncoding.Identity,
        "gzip" => GrpcEncoding.Gzip,
        _ => throw new RpcException(
            StatusCode.Unimplemented,
            $"grpc-encoding '{name}' is not supported; supported are {GrpcHeaderNames.SupportedEncodings}"),
    };

    /// <summary>Whether a peer's <c>grpc-accept-encoding</c> allows gzip.</summary>
    public static bool AcceptsGzip(string? acceptEncoding)
        => acceptEncoding is not null
            && acceptEncoding.Split(',', StringSplitOptions.TrimEntries).Contains("gzip", StringComparer.OrdinalIgnoreCase);

    public static byte[] Gzip(ReadOnlySpan<byte> message)
    {
        using var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(message);
        }

        return target.ToArray();
    }

    /// <summary>Decompresses one message, giving up as soon as it grows beyond <paramref name="maxSize"/> (a small message can unfold a thousandfold).</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: too large; INTERNAL: not gzip.</exception>
    public static ReadOnlySequence<byte> Gunzip(ReadOnlySequence<byte> compressed, int maxSize)
    {
        var target = new ArrayBufferWriter<byte>(Chunk);
        try
        {
            using var gzip = new GZipStream(new ReadOnlySequenceStream(compressed), CompressionMode.Decompress);
            while (true)
            {
                var read = gzip.Read(target.GetSpan(Chunk));
                if (read == 0)
                {
                    return new ReadOnlySequence<byte>(target.WrittenMemory);
                }

                target.Advance(read);
                if (target.WrittenCount > maxSize)
                {
                    throw new RpcException(
                        StatusCode.ResourceExhausted,
                        $"a compressed message unfolds to more than the limit of {maxSize} bytes");
                }
            }
        }
        catch (InvalidDataException e)
        {
            throw new RpcException(StatusCode.Internal, "a message marked as gzip cannot be decompressed", e);
        }
    }
}
