namespace Mesh;

/// <summary>Where this process has its certificate from, and whom it trusts: the section <c>Mesh:Identity</c>.</summary>
public sealed class MeshIdentityOptions
{
    /// <summary>Where the certificate comes from.</summary>
    /// <value>The default value is <see cref="MeshIdentitySource.Auto"/>.</value>
    public MeshIdentitySource Source { get; set; } = MeshIdentitySource.Auto;

    /// <summary>The trust domain of the workload's identity (<c>spiffe://<see cref="TrustDomain"/>/ns/namespace/sa/account</c>).</summary>
    /// <value>The default value is <c>cluster.local</c>.</value>
    public string TrustDomain { get; set; } = "cluster.local";

    /// <summary>The certificate authority that signs the workload's key.</summary>
    public MeshIdentityAuthorityOptions CertificateAuthority { get; set; } = new();

    /// <summary>The agent on this machine that hands out certificates.</summary>
    public MeshWorkloadApiOptions WorkloadApi { get; set; } = new();

    /// <summary>Certificates in files.</summary>
    public MeshIdentityFileOptions Files { get; set; } = new();

    /// <summary>
    /// How long the start of the application waits for the first certificate. The application starts without one after that, and the certificate is still
    /// asked for: until it comes, what needs it is refused.
    /// </summary>
    /// <value>The default value is 5 seconds; zero does not wait.</value>
    public TimeSpan StartupTimeout { get; set; } = TimeSpan.FromSeconds(5);
}
