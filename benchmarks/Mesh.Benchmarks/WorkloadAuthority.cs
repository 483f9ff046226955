using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Tls;
using Mesh.Identity;
using Mesh.Xds.Client;

namespace Mesh.Benchmarks;

/// <summary>An authority that issues certificates as a mesh's does, and the identity of a workload that has one.</summary>
internal sealed class WorkloadAuthority : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public WorkloadAuthority()
    {
        var request = new CertificateRequest("O=benchmark", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        var now = TimeProvider.System.GetUtcNow();
        Root = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
    }

    public X509Certificate2 Root { get; }

    public static string Name(string account) => SpiffeId.ForWorkload("cluster.local", "default", account).ToString();

    public X509Certificate2 Issue(string account)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(new X500DistinguishedName(""), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(Name(account)));
        request.CertificateExtensions.Add(names.Build(critical: true));
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.Create(Root, now.AddHours(-1), now.AddHours(24), RandomNumberGenerator.GetBytes(16));
        return certificate.CopyWithPrivateKey(key);
    }

    /// <summary>What both ends trust.</summary>
    public X509ChainPolicy CreateChainPolicy()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.Add(Root);
        return policy;
    }

    public ISecretSource Identify(string account)
    {
        using var certificate = Issue(account);
        return new Identity(
            Decode(new Secret
            {
                Name = ISecretSource.Certificate,
                TlsCertificate = new TlsCertificate
                {
                    CertificateChain = new() { InlineString = certificate.ExportCertificatePem() },
                    PrivateKey = new() { InlineString = certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() },
                },
            }),
            Decode(new Secret { Name = ISecretSource.Authorities, ValidationContext = new() { TrustedCa = new() { InlineString = Root.ExportCertificatePem() } } }));
    }

    public void Dispose()
    {
        Root.Dispose();
        _key.Dispose();
    }

    private static SecretResource Decode(Secret secret) => (SecretResource)SecretType.Instance.Decode(secret.ToByteString(), out _);

    private sealed class Identity(SecretResource certificate, SecretResource authorities) : ISecretSource, IDisposable
    {
        public IDisposable Watch(string name, IResourceWatcher<SecretResource> watcher)
        {
            watcher.OnChanged(name, name == ISecretSource.Certificate ? certificate : authorities, "");
            return this;
        }

        public void Dispose()
        {
        }
    }
}
