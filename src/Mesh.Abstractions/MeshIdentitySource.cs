namespace Mesh;

/// <summary>Where a workload's certificate comes from.</summary>
public enum MeshIdentitySource
{
    /// <summary>
    /// The <c>certificate_providers</c> of the gRPC bootstrap, if it has any; else the certificate authority, if there is a credential for it (its token file
    /// exists, or the control plane is in this process); else none.
    /// </summary>
    Auto,

    /// <summary>A certificate authority that signs a key which never leaves this process.</summary>
    CertificateAuthority,

    /// <summary>The <c>file_watcher</c> of the gRPC bootstrap's <c>certificate_providers</c> (gRFC A29).</summary>
    FileWatcher,

    /// <summary>An agent on this machine, by Envoy's secret discovery service (SDS) on a Unix socket: SPIRE's, or Istio's.</summary>
    WorkloadApi,

    /// <summary>PEM files that the settings name.</summary>
    Files,

    /// <summary>The workload has no certificate.</summary>
    None,
}
