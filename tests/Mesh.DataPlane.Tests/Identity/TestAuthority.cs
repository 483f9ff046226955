using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Tests.Tls;
using Mesh.Xds.Certificates;

namespace Mesh.DataPlane.Tests.Identity;

/// <summary>A certificate authority that signs what it is sent, as long as the test wants it to.</summary>
internal sealed class TestAuthority(TimeProvider time) : ICertificateIssuer
{
    public const string Workload = "spiffe://cluster.local/ns/default/sa/reviews";

    public string Target => "of the test";

    public X509Certificate2 Root { get; set; } = Pki.Authority("root");

    public X509Certificate2? Between { get; set; }

    /// <summary>The roots that are trusted beside the one that signs.</summary>
    public List<X509Certificate2> OtherRoots { get; } = [];

    public TimeSpan? Lifetime { get; set; }

    public string[] Uris { get; set; } = [Workload];

    /// <summary>Thrown instead of an answer.</summary>
    public Exception? Fault { get; set; }

    /// <summary>Changes the answer.</summary>
    public Func<IssuedCertificate, IssuedCertificate>? Spoil { get; set; }

    public List<CallerCredentials> Callers { get; } = [];

    public List<CertificateRequest> Requests { get; } = [];

    public Task<IssuedCertificate> IssueAsync(CertificateSigningRequest request, CallerCredentials caller, CancellationToken cancellationToken)
    {
        // Its signature proves that the workload has the key.
        var asked = CertificateRequest.LoadSigningRequest(request.Csr.ToArray(), HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions);
        Callers.Add(caller);
        Requests.Add(asked);
        if (Fault is not null)
        {
            return Task.FromException<IssuedCertificate>(Fault);
        }

        var answer = Sign(asked.PublicKey, Lifetime ?? request.Validity!.Value);
        return Task.FromResult(Spoil?.Invoke(answer) ?? answer);
    }

    public IssuedCertificate Sign(PublicKey key, TimeSpan lifetime, bool isAuthority = false)
    {
        var issuer = Between ?? Root;
        var request = new CertificateRequest(new X500DistinguishedName(""), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(Pki.ServerAuthentication), new Oid(Pki.ClientAuthentication)], false));
        request.CertificateExtensions.Add(Pki.Uris(Uris));
        using var signer = issuer.GetECDsaPrivateKey()!;
        var now = time.GetUtcNow();
        using var certificate = request.Create(issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(signer), now.AddMinutes(-2), now + lifetime, RandomNumberGenerator.GetBytes(16));
        return new IssuedCertificate(
            certificate.ExportCertificatePem() + "\n" + Between?.ExportCertificatePem(), string.Join('\n', OtherRoots.Append(Root).Select(r => r.ExportCertificatePem())));
    }
}
