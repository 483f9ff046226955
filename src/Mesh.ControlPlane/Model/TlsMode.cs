namespace Mesh.ControlPlane.Model;

/// <summary>How workloads say whether they speak the mesh's mutual TLS (Istio's names).</summary>
internal static class TlsMode
{
    /// <summary>The label of a workload.</summary>
    public const string Label = "security.istio.io/tlsMode";

    /// <summary>The key in the metadata of an endpoint, by which clusters choose how to speak to it.</summary>
    public const string Key = "tlsMode";

    /// <summary>That it does.</summary>
    public const string Istio = "istio";

    /// <summary>Where the metadata of an endpoint has that key.</summary>
    public const string TransportSocketMatch = "envoy.transport_socket_match";
}
