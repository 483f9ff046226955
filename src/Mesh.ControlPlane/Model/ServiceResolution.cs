namespace Mesh.ControlPlane.Model;

/// <summary>How a client learns who serves a host.</summary>
internal enum ServiceResolution
{
    /// <summary>The control plane says so (Istio's STATIC and every Kubernetes Service): EDS.</summary>
    Endpoints,

    /// <summary>Every address of every listed name: STRICT_DNS.</summary>
    Dns,

    /// <summary>One name, whatever address it has when a connection is made: LOGICAL_DNS.</summary>
    DnsRoundRobin,

    /// <summary>The address that the caller meant (Istio's NONE): ORIGINAL_DST.</summary>
    None,
}
