namespace Mesh.ControlPlane;

/// <summary>The authority that gives workloads their certificates: the configuration section <c>Mesh:ControlPlane:CertificateAuthority</c>.</summary>
public sealed class MeshControlPlaneAuthorityOptions
{
    /// <summary>Give certificates at all.</summary>
    /// <value>The default value is <see langword="true"/>; nothing is made before somebody asks.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// A root or an intermediate of your own: a folder with <c>ca-cert.pem</c>, <c>ca-key.pem</c>, <c>root-cert.pem</c> and, for an intermediate,
    /// <c>cert-chain.pem</c>, as in Istio's secret <c>cacerts</c>. The files are read again when they change.
    /// </summary>
    /// <value>Unset by default: the control plane makes a root of its own and keeps it in <see cref="Folder"/>.</value>
    public string? CaCerts { get; set; }

    /// <summary>The folder in which a root of the control plane's own is kept; only its owner may have access. Several control planes may share it.</summary>
    /// <value>By default <c>&lt;ConfigFolder&gt;.ca</c>, beside the folder; empty: the root ends with the process.</value>
    public string? Folder { get; set; }

    /// <summary>How long a certificate is valid when its workload does not say (Istio's <c>DEFAULT_WORKLOAD_CERT_TTL</c>).</summary>
    /// <value>The default value is 24 hours; at least 1 minute.</value>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How long a certificate is valid at most, whatever is asked for (Istio's <c>MAX_WORKLOAD_CERT_TTL</c>). A root is trusted for so long after it last signed.</summary>
    /// <value>The default value is 90 days; at least <see cref="Lifetime"/>.</value>
    public TimeSpan MaxLifetime { get; set; } = TimeSpan.FromDays(90);

    /// <summary>How long a root of the control plane's own is valid (Istio's <c>CITADEL_SELF_SIGNED_CA_CERT_TTL</c>). It is replaced when a fifth of that is left.</summary>
    /// <value>The default value is 3650 days.</value>
    public TimeSpan RootLifetime { get; set; } = TimeSpan.FromDays(3650);

    /// <summary>How long a new root is trusted before it signs, so that every workload has heard of it.</summary>
    /// <value>The default value is 24 hours.</value>
    public TimeSpan RootAnnouncement { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How far certificates are dated back, for workloads whose clocks are late (Istio's <c>ClockSkewGracePeriod</c>).</summary>
    /// <value>The default value is 2 minutes; at most 1 hour.</value>
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>DNS names and IP addresses by which clients reach this control plane; they are in the certificate of its own TLS port, besides Istio's names and this machine's.</summary>
    public IList<string> ServerNames { get; } = [];
}
