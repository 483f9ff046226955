using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Tls;
using Mesh.TestNet;

namespace Mesh.Client.Tests.Tls;

/// <summary>Certificates as an authority of the mesh issues them, and as it never would.</summary>
internal static class WorkloadCertificates
{
    public const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    public const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private static readonly DateTimeOffset From = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Until = new(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static string Account(string name) => $"spiffe://cluster.local/ns/default/sa/{name}";

    /// <summary>A workload's certificate: no subject, its identity as a critical name.</summary>
    public static X509Certificate2 IssueWorkload(this TestCertificateAuthority authority, string account, DateTimeOffset? until = null)
        => authority.IssueStrange(request => request.CertificateExtensions.Add(Uris(Account(account))), until: until);

    /// <summary>A list of identities, letter by letter.</summary>
    public static X509Extension Uris(params string[] uris)
    {
        var names = new AsnWriter(AsnEncodingRules.DER);
        using (names.PushSequence())
        {
            foreach (var uri in uris)
            {
                names.WriteCharacterString(UniversalTagNumber.IA5String, uri, new Asn1Tag(TagClass.ContextSpecific, 6));
            }
        }

        return new X509Extension("2.5.29.17", names.Encode(), critical: true);
    }

    /// <summary>A certificate with whatever a test adds to it.</summary>
    public static X509Certificate2 IssueStrange(
        this TestCertificateAuthority authority, Action<CertificateRequest> add, string subject = "", string? usage = null, DateTimeOffset? until = null, bool selfSigned = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(new X500DistinguishedName(subject), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        OidCollection usages = usage is null ? [new Oid(ServerAuthentication), new Oid(ClientAuthentication)] : [new Oid(usage)];
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(usages, critical: false));
        add(request);
        if (selfSigned)
        {
            return request.CreateSelfSigned(From, until ?? Until);
        }

        Span<byte> serial = stackalloc byte[16];
        RandomNumberGenerator.Fill(serial);
        using var certificate = request.Create(authority.Certificate, From, until ?? Until, serial);
        return certificate.CopyWithPrivateKey(key);
    }

    /// <summary>The secret by which a workload has its certificate.</summary>
    public static SecretResource CertificateSecret(X509Certificate2 certificate)
        => Decode(new Secret
        {
            Name = ISecretSource.Certificate,
            TlsCertificate = new TlsCertificate
            {
                CertificateChain = new DataSource { InlineString = certificate.ExportCertificatePem() },
                PrivateKey = new DataSource { InlineString = certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() },
            },
        });

    /// <summary>The secret by which a workload has its authorities.</summary>
    public static SecretResource AuthoritiesSecret(params TestCertificateAuthority[] authorities)
        => Decode(new Secret
        {
            Name = ISecretSource.Authorities,
            ValidationContext = new CertificateValidationContext { TrustedCa = new DataSource { InlineString = string.Concat(authorities.Select(a => a.Pem + "\n")) } },
        });

    private static SecretResource Decode(Secret secret) => (SecretResource)SecretType.Instance.Decode(secret.ToByteString(), out _);
}
