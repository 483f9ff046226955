using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.ControlPlane.Tests;

/// <summary>A certificate that signs itself, with its key, in PEM.</summary>
internal sealed class TestPems
{
    public TestPems(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        Certificate = certificate.ExportCertificatePem();
        Key = key.ExportPkcs8PrivateKeyPem();
        EcKey = key.ExportECPrivateKeyPem();
        EncryptedKey = key.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA256, 1));
    }

    public string Certificate { get; }

    public string Key { get; }

    public string EcKey { get; }

    public string EncryptedKey { get; }
}
