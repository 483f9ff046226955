using System.Buffers.Binary;

namespace Mesh.DataPlane.Tests.Telemetry;

/// <summary>Bodies of gRPC calls.</summary>
internal static class GrpcFrames
{
    /// <summary>A body of messages of these sizes, full of bytes that look like flags.</summary>
    public static byte[] Of(params int[] sizes)
    {
        var bytes = new byte[sizes.Sum(s => 5 + s)];
        Array.Fill(bytes, (byte)1);
        var at = 0;
        foreach (var size in sizes)
        {
            bytes[at] = 0;
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(at + 1), size);
            at += 5 + size;
        }

        return bytes;
    }
}
