namespace Mesh;

/// <summary>The certificate authority that signs the workload's key (Istio's <c>IstioCertificateService</c>): the section <c>Mesh:Identity:CertificateAuthority</c>.</summary>
public sealed class MeshIdentityAuthorityOptions
{
    /// <summary>The authority's address: <c>https://istiod.istio-system.svc:15012</c>, <c>unix:///path</c>, <c>host:port</c>.</summary>
    /// <value>Unset by default: that of the control plane; one in this process is asked directly.</value>
    public string? Address { get; set; }

    /// <summary>
    /// The file with the token that proves who asks: a service account's token, or a join token. It is read again for every certificate. It is not sent in
    /// clear text, unless to this machine.
    /// </summary>
    /// <value>The default value is <c>/var/run/secrets/tokens/istio-token</c>, where Istio's injection mounts it; without such a file no token is sent.</value>
    public string TokenFile { get; set; } = "/var/run/secrets/tokens/istio-token";

    /// <summary>The file with the authorities (PEM) of whom the server's own certificate must be.</summary>
    /// <value>Unset by default: those of the bootstrap's <c>channel_creds</c> for the control plane's address, else those of the system.</value>
    public string? RootCertificates { get; set; }

    /// <summary>The kind of key that is made.</summary>
    /// <value>The default value is <see cref="CertificateKeyType.EcdsaP256"/>.</value>
    public CertificateKeyType KeyType { get; set; } = CertificateKeyType.EcdsaP256;

    /// <summary>How long the certificates asked for are valid; the authority may give shorter ones.</summary>
    /// <value>The default value is 24 hours, as Istio's.</value>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromHours(24);

    /// <summary>After which part of its lifetime a certificate is renewed (one less Istio's <c>SECRET_GRACE_PERIOD_RATIO</c>).</summary>
    /// <value>The default value is 0.5; between 0.1 and 0.9.</value>
    public double RenewAfter { get; set; } = 0.5;

    /// <summary>By how much of the lifetime renewal may come earlier or later, so that workloads which started together do not ask together (Istio's <c>SECRET_GRACE_PERIOD_RATIO_JITTER</c>).</summary>
    /// <value>The default value is 0.01; between 0 and 0.1.</value>
    public double RenewJitter { get; set; } = 0.01;

    /// <summary>How long one request to the authority may take.</summary>
    /// <value>The default value is 10 seconds.</value>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(10);
}
