using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.DataPlane.Identity;

/// <summary>A key that is made in this process and never leaves it.</summary>
internal sealed class WorkloadKey : IDisposable
{
    private readonly AsymmetricAlgorithm _key;

    private WorkloadKey(AsymmetricAlgorithm key) => _key = key;

    public static WorkloadKey Create(CertificateKeyType type)
        => new(type switch
        {
            CertificateKeyType.Rsa2048 => RSA.Create(2048),
            CertificateKeyType.Rsa3072 => RSA.Create(3072),
            _ => ECDsa.Create(ECCurve.NamedCurves.nistP256),
        });

    /// <summary>Asks for a certificate for this key: a PKCS #10 request, signed with it.</summary>
    /// <param name="id">Who asks; the authority goes by what it knows, not by this.</param>
    public byte[] CreateSigningRequest(Mesh.Identity.SpiffeId id)
    {
        var subject = new X500DistinguishedName("");
        var request = _key is RSA rsa
            ? new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(subject, (ECDsa)_key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(id.ToString()));

        // As in Istio's requests: without a subject the names are critical (RFC 5280, 4.2.1.6).
        request.CertificateExtensions.Add(new X509Extension(names.Build(), critical: true));
        return request.CreateSigningRequest();
    }

    /// <summary>Puts a certificate to its key.</summary>
    /// <exception cref="ArgumentException">It is for another key.</exception>
    public X509Certificate2 Join(X509Certificate2 certificate)
        => _key is RSA rsa ? certificate.CopyWithPrivateKey(rsa) : certificate.CopyWithPrivateKey((ECDsa)_key);

    public void Dispose() => _key.Dispose();
}
