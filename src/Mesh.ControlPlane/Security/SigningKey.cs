using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.ControlPlane.Security;

/// <summary>A private key that signs certificates: ECDSA or RSA.</summary>
internal sealed class SigningKey : IDisposable
{
    private readonly AsymmetricAlgorithm _key;

    private SigningKey(AsymmetricAlgorithm key) => _key = key;

    /// <summary>The hash that goes with the key.</summary>
    public HashAlgorithmName Hash => _key is ECDsa { KeySize: > 256 and <= 384 } ? HashAlgorithmName.SHA384
        : _key is ECDsa { KeySize: > 384 } ? HashAlgorithmName.SHA512
        : HashAlgorithmName.SHA256;

    public static SigningKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <exception cref="CryptographicException">It is no key, or encrypted.</exception>
    public static SigningKey Read(string pem)
    {
        // Each of the two takes its own format and PKCS #8; which one it is, only trying tells.
        var ec = ECDsa.Create();
        try
        {
            ec.ImportFromPem(pem);
            return new SigningKey(ec);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            ec.Dispose();
        }

        var rsa = RSA.Create();
        try
        {
            rsa.ImportFromPem(pem);
            return new SigningKey(rsa);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            rsa.Dispose();
            throw new CryptographicException("it holds no ECDSA or RSA key in PEM that is not encrypted");
        }
    }

    public string ToPem() => _key.ExportPkcs8PrivateKeyPem();

    /// <summary>Whether a certificate is for this key.</summary>
    public bool IsOf(X509Certificate2 certificate) => certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(_key.ExportSubjectPublicKeyInfo());

    /// <summary>One for each signature: the framework does not say that a key may sign on several threads at once.</summary>
    public X509SignatureGenerator NewGenerator()
        => _key is ECDsa ec ? X509SignatureGenerator.CreateForECDsa(ec) : X509SignatureGenerator.CreateForRSA((RSA)_key, RSASignaturePadding.Pkcs1);

    /// <summary>A request for a certificate of this key's own.</summary>
    public CertificateRequest NewRequest(string subject) => _key is ECDsa ec
        ? new CertificateRequest(subject, ec, Hash)
        : new CertificateRequest(subject, (RSA)_key, Hash, RSASignaturePadding.Pkcs1);

    public void Dispose() => _key.Dispose();
}
