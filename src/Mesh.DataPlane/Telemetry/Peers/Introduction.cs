using System.Buffers.Binary;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Tls;

namespace Mesh.DataPlane.Telemetry.Peers;

/// <summary>
/// What a client says of itself once, before the first request of a connection, instead of with each request. Frame and content are those of the exchange
/// by which Istio's proxies begin TCP connections; over HTTP nobody else speaks it, so <see cref="MeshAlpn"/> has names of its own for it.
/// </summary>
internal static class Introduction
{
    // No node says more of itself than that of a header.
    public const int MaxLength = 16 * 1024;

    private const uint Magic = 0x3D23_0467;
    private const int HeaderLength = 8;

    /// <summary>Makes one.</summary>
    /// <param name="metadata">The node's metadata.</param>
    /// <param name="id">The node's id; <see langword="null"/> to leave it out.</param>
    public static byte[] Of(Struct metadata, string? id)
    {
        var data = new Struct { Fields = { [PeerMetadata.Header] = new Value { StructValue = metadata } } };
        if (id is not null)
        {
            data.Fields[PeerMetadata.IdHeader] = Value.ForString(id);
        }

        var content = Any.Pack(data).ToByteArray();
        var frame = new byte[HeaderLength + content.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, Magic);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(sizeof(uint)), content.Length);
        content.CopyTo(frame, HeaderLength);
        return frame;
    }

    /// <summary>Reads the content of one off a connection, and no byte behind it.</summary>
    /// <exception cref="InvalidDataException">Something else comes, or too much, or nothing.</exception>
    /// <exception cref="IOException">The connection breaks.</exception>
    public static async ValueTask<byte[]> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        try
        {
            var header = new byte[HeaderLength];
            await stream.ReadExactlyAsync(header, cancellationToken).ConfigureAwait(false);
            var length = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(sizeof(uint)));
            if (BinaryPrimitives.ReadUInt32BigEndian(header) != Magic || length > MaxLength)
            {
                throw new InvalidDataException("it has announced its introduction, and says something else");
            }

            var content = new byte[length];
            await stream.ReadExactlyAsync(content, cancellationToken).ConfigureAwait(false);
            return content;
        }
        catch (EndOfStreamException e)
        {
            throw new InvalidDataException("it has ended the connection before its introduction", e);
        }
    }

    /// <summary>Who says it.</summary>
    /// <returns><see langword="null"/> when it says nothing that can be read.</returns>
    public static Peer? Decode(ReadOnlySpan<byte> content)
    {
        try
        {
            return Any.Parser.ParseFrom(content).TryUnpack<Struct>(out var data)
                && data.Fields.TryGetValue(PeerMetadata.Header, out var metadata) && metadata.KindCase == Value.KindOneofCase.StructValue
                ? Peer.OfNode(metadata.StructValue)
                : null;
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
