namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>The version of HTTP that a service speaks, and how its port is named for it.</summary>
internal enum Protocol
{
    Http,
    Http2,
    Grpc,
}
