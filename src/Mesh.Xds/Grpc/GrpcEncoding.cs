namespace Mesh.Xds.Grpc;

/// <summary>How messages are compressed (<c>grpc-encoding</c>).</summary>
internal enum GrpcEncoding
{
    Identity,
    Gzip,
}
