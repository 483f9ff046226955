using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.Peers.Tests.GuardedServers;

/// <summary>An authority and, in files, the certificates of accounts of the namespace default.</summary>
internal sealed class MeshCertificates : IDisposable
{
    /// <summary>A DNS name besides the identity: gRPC's callers outside xDS ask for one.</summary>
    public const string ServerName = "peer.example";

    private readonly string _folder = Directory.CreateTempSubdirectory("mesh-peers-").FullName;
    private readonly X509Certificate2 _authority;

    public MeshCertificates()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("O=mesh.test", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(Authority, _authority.ExportCertificatePem());
    }

    public string Authority => Path.Combine(_folder, "ca.pem");

    public string CertificateOf(string account)
    {
        Issue(account);
        return Path.Combine(_folder, $"{account}.pem");
    }

    public string KeyOf(string account)
    {
        Issue(account);
        return Path.Combine(_folder, $"{account}.key");
    }

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void Issue(string account)
    {
        var file = Path.Combine(_folder, $"{account}.pem");
        if (File.Exists(file))
        {
            return;
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri($"spiffe://cluster.local/ns/default/sa/{account}"));
        names.AddDnsName(ServerName);
        request.CertificateExtensions.Add(names.Build(critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));
        using var certificate = request.Create(_authority, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(12), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(Path.Combine(_folder, $"{account}.key"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(file, certificate.ExportCertificatePem());
    }
}
