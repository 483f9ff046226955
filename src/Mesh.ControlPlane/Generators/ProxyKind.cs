namespace Mesh.ControlPlane.Generators;

/// <summary>What a client can read.</summary>
internal enum ProxyKind
{
    /// <summary>An engine of this mesh in the application's process: per-host listeners with everything that Envoy's messages carry.</summary>
    Mesh,

    /// <summary>A gRPC library: what Istio's gRPC generator sends, and that load is to be reported; only fields that gRPC's xDS proposals name.</summary>
    Grpc,
}
