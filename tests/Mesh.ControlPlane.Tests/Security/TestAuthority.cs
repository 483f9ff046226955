using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.ControlPlane.Tests.Security;

/// <summary>An authority with files as Istio's <c>cacerts</c> has them, made with the framework's own classes and not with those under test.</summary>
internal sealed class TestAuthority : IDisposable
{
    private static readonly DateTimeOffset From = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly TestAuthority? _parent;

    public TestAuthority(string name, TestAuthority? parent = null, DateTimeOffset? until = null, bool isAuthority = true, AsymmetricAlgorithm? key = null)
    {
        _parent = parent;
        Key = key ?? ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Key is ECDsa ec
            ? new CertificateRequest($"O=test, CN={name}", ec, HashAlgorithmName.SHA256)
            : new CertificateRequest($"O=test, CN={name}", (RSA)Key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        Certificate = request.Create(parent?.Certificate.SubjectName ?? request.SubjectName, (parent ?? this).Generator(), From, until ?? From.AddYears(5), RandomNumberGenerator.GetBytes(8));
    }

    public AsymmetricAlgorithm Key { get; }

    public X509Certificate2 Certificate { get; }

    public string Pem => Certificate.ExportCertificatePem() + "\n";

    /// <summary>Writes the four files.</summary>
    public void WriteTo(SecretFolder folder, TestAuthority root, string? key = null)
    {
        folder.Write("root-cert.pem", root.Pem);
        folder.Write("cert-chain.pem", _parent is null ? "" : Pem + (_parent == root ? "" : _parent.Pem));
        folder.Write("ca-cert.pem", Pem);
        folder.Write("ca-key.pem", key ?? Key.ExportPkcs8PrivateKeyPem());
    }

    public X509Certificate2 Issue(string uri) => Issue([uri]);

    public X509Certificate2 Issue(string[] uris, string usage = "1.3.6.1.5.5.7.3.2")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return Request(key, uris, usage).Create(Certificate.SubjectName, Generator(), From, From.AddYears(1), RandomNumberGenerator.GetBytes(8));
    }

    public X509Certificate2 SelfSign(string uri)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return Request(key, [uri], "1.3.6.1.5.5.7.3.2").CreateSelfSigned(From, From.AddYears(1));
    }

    public void Dispose() => Key.Dispose();

    private static CertificateRequest Request(ECDsa key, string[] uris, string usage)
    {
        var request = new CertificateRequest("", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        if (uris.Length > 0)
        {
            var san = new SubjectAlternativeNameBuilder();
            foreach (var uri in uris)
            {
                san.AddUri(new Uri(uri));
            }

            request.CertificateExtensions.Add(san.Build(true));
        }

        return request;
    }

    private X509SignatureGenerator Generator()
        => Key is ECDsa ec ? X509SignatureGenerator.CreateForECDsa(ec) : X509SignatureGenerator.CreateForRSA((RSA)Key, RSASignaturePadding.Pkcs1);
}
