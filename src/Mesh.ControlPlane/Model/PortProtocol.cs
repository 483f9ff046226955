namespace Mesh.ControlPlane.Model;

/// <summary>What is spoken on a service port, as Istio tells protocols apart.</summary>
internal enum PortProtocol
{
    /// <summary>Not declared: told by the first bytes; in this mesh, HTTP.</summary>
    Auto,
    Http,
    Http2,
    Grpc,
    GrpcWeb,

    /// <summary>TLS from end to end: nothing in it can be routed by HTTP rules.</summary>
    Https,
    Tls,
    Tcp,
    Udp,
}
