using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.TestNet;

/// <summary>A certificate authority that lives as long as a test and that nobody else trusts.</summary>
public sealed class TestCertificateAuthority : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    // No clock: what is valid is valid in every year that this is run in.
    private static readonly DateTimeOffset From = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Expired = new(2001, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Until = new(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public TestCertificateAuthority(string name = "Test authority")
        : this(name, issuer: null)
    {
    }

    private TestCertificateAuthority(string name, X509Certificate2? issuer)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        if (issuer is null)
        {
            Certificate = request.CreateSelfSigned(From, Until);
            return;
        }

        using var certificate = request.Create(issuer, From, Until, RandomNumberGenerator.GetBytes(16));
        Certificate = certificate.CopyWithPrivateKey(key);
    }

    /// <summary>Its own certificate, with its key: a root, unless another authority has signed it.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>The root alone, as <c>caCertificates</c> files hold it.</summary>
    public string Pem => Certificate.ExportCertificatePem();

    /// <summary>An authority that this one has signed.</summary>
    public TestCertificateAuthority CreateSubordinate(string name) => new(name, Certificate);

    /// <summary>A certificate with its key, for servers and clients alike.</summary>
    /// <param name="names">DNS names (<c>*.example.com</c> too), IP addresses, and URIs (<c>spiffe://…</c>); the first is the common name as well.</param>
    public X509Certificate2 Issue(params string[] names) => Issue(Until, names);

    /// <summary>A certificate that is valid up to a moment of whole seconds.</summary>
    public X509Certificate2 IssueUntil(DateTimeOffset end, params string[] names) => Issue(end, names);

    /// <summary>A certificate that was valid once.</summary>
    public X509Certificate2 IssueExpired(params string[] names) => Issue(Expired, names);

    /// <summary>Trusts this authority and no other.</summary>
    public X509ChainPolicy CreateChainPolicy()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificate(Certificate.RawData));
        return policy;
    }

    public void Dispose() => Certificate.Dispose();

    private X509Certificate2 Issue(DateTimeOffset end, string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(names[0].Length > 64 ? names[0][..64] : names[0]);
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication), new Oid(ClientAuthentication)], critical: false));
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                alternatives.AddIpAddress(address);
            }
            else if (name.Contains("://", StringComparison.Ordinal))
            {
                alternatives.AddUri(new Uri(name));
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(alternatives.Build());
        Span<byte> serial = stackalloc byte[16];
        RandomNumberGenerator.Fill(serial);
        using var certificate = request.Create(Certificate, From, end, serial);
        return certificate.CopyWithPrivateKey(key);
    }
}
