using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Mesh.DataPlane.Tests.Tls;

/// <summary>Certificates as nobody should issue them, beside such as everybody does.</summary>
internal static class Pki
{
    public const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    public const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    public static readonly DateTimeOffset From = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    public static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    public static readonly DateTimeOffset Until = new(2040, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>An authority: a root, or one that <paramref name="issuer"/> has signed.</summary>
    public static X509Certificate2 Authority(string name, X509Certificate2? issuer = null, AsymmetricAlgorithm? key = null, X509KeyUsageFlags usage = X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign)
    {
        key ??= ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request($"CN={name}", key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return Sign(request, key, issuer, From, Until);
    }

    /// <summary>A workload's certificate, as Istio's authority makes them.</summary>
    public static X509Certificate2 Workload(X509Certificate2 issuer, params string[] uris) => Leaf(issuer, request => request.CertificateExtensions.Add(Uris(uris)));

    public static X509Certificate2 Leaf(
        X509Certificate2? issuer,
        Action<CertificateRequest> extend,
        string subject = "",
        DateTimeOffset? from = null,
        DateTimeOffset? until = null,
        bool isAuthority = false,
        X509KeyUsageFlags usage = X509KeyUsageFlags.DigitalSignature,
        string[]? purposes = null,
        byte[]? serial = null)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request(subject, key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. (purposes ?? [ServerAuthentication, ClientAuthentication]).Select(p => new Oid(p))], critical: false));
        extend(request);
        return Sign(request, key, issuer, from ?? From, until ?? Until, serial);
    }

    /// <summary>URIs as they are, which no <see cref="Uri"/> has looked at.</summary>
    public static X509Extension Uris(params string[] uris) => Names(6, uris);

    public static X509Extension Names(int kind, params string[] names)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            foreach (var name in names)
            {
                writer.WriteOctetString(Encoding.Latin1.GetBytes(name), new Asn1Tag(TagClass.ContextSpecific, kind));
            }
        }

        return new X509Extension("2.5.29.17", writer.Encode(), critical: true);
    }

    /// <summary>What an authority has taken back, by the framework's own builder.</summary>
    public static string Revoke(
        X509Certificate2 authority, IEnumerable<X509Certificate2> certificates, DateTimeOffset? thisUpdate = null, DateTimeOffset? nextUpdate = null, RSASignaturePadding? padding = null)
    {
        var builder = new CertificateRevocationListBuilder();
        foreach (var certificate in certificates)
        {
            builder.AddEntry(certificate, From);
        }

        var key = new X509SubjectKeyIdentifierExtension(authority.PublicKey, false);
        using var rsa = authority.GetRSAPrivateKey();
        var list = rsa is not null
            ? builder.Build(
                authority.SubjectName, X509SignatureGenerator.CreateForRSA(rsa, padding ?? RSASignaturePadding.Pkcs1), 1, nextUpdate ?? Until, HashAlgorithmName.SHA256, X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(key), thisUpdate ?? From)
            : builder.Build(authority, 1, nextUpdate ?? Until, HashAlgorithmName.SHA256, thisUpdate: thisUpdate ?? From);
        return Pem(list);
    }

    /// <summary>A list with an extension that changes its meaning.</summary>
    public static string RevokeWith(X509Certificate2 authority, string oid, bool critical)
    {
        var inner = new AsnWriter(AsnEncodingRules.DER);
        using (inner.PushSequence())
        {
            inner.WriteInteger(1);
            WriteAlgorithm(inner);
            inner.WriteEncodedValue(authority.SubjectName.RawData);
            inner.WriteUtcTime(From);
            inner.WriteUtcTime(Until);
            using (inner.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0, true)))
            using (inner.PushSequence())
            using (inner.PushSequence())
            {
                inner.WriteObjectIdentifier(oid);
                if (critical)
                {
                    inner.WriteBoolean(true);
                }

                inner.WriteOctetString([0x30, 0x00]);
            }
        }

        var signed = inner.Encode();
        using var key = authority.GetECDsaPrivateKey()!;
        var outer = new AsnWriter(AsnEncodingRules.DER);
        using (outer.PushSequence())
        {
            outer.WriteEncodedValue(signed);
            WriteAlgorithm(outer);
            outer.WriteBitString(key.SignData(signed, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        }

        return Pem(outer.Encode());

        static void WriteAlgorithm(AsnWriter writer)
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier("1.2.840.10045.4.3.2");
            }
        }
    }

    public static string Pem(byte[] list) => PemEncoding.WriteString("X509 CRL", list);

    private static CertificateRequest Request(string subject, AsymmetricAlgorithm key)
        => key is RSA rsa
            ? new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(subject, (ECDsa)key, HashAlgorithmName.SHA256);

    private static X509Certificate2 Sign(CertificateRequest request, AsymmetricAlgorithm key, X509Certificate2? issuer, DateTimeOffset from, DateTimeOffset until, byte[]? serial = null)
    {
        if (issuer is null)
        {
            return request.CreateSelfSigned(from, until);
        }

        using var rsa = issuer.GetRSAPrivateKey();
        using var ecdsa = issuer.GetECDsaPrivateKey();
        var generator = rsa is not null ? X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1) : X509SignatureGenerator.CreateForECDsa(ecdsa!);
        using var certificate = request.Create(issuer.SubjectName, generator, from, until, serial ?? RandomNumberGenerator.GetBytes(16));
        return key is RSA own ? certificate.CopyWithPrivateKey(own) : certificate.CopyWithPrivateKey((ECDsa)key);
    }
}
