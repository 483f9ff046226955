using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.DataPlane.Tls;

/// <summary>Signatures of authorities under what is not a certificate (RFC 3279, 4055, 5758). SHA-1 and MD5 prove nothing, and are not accepted.</summary>
internal static class CertificateSignature
{
    /// <param name="authority">Whose key it must be.</param>
    /// <param name="algorithm">The encoded <c>AlgorithmIdentifier</c>.</param>
    /// <param name="signed">What is signed.</param>
    /// <param name="signature">The signature.</param>
    /// <exception cref="CryptographicException">The algorithm is not supported.</exception>
    public static bool IsValid(X509Certificate2 authority, ReadOnlyMemory<byte> algorithm, ReadOnlySpan<byte> signed, byte[] signature)
    {
        var identifier = new AsnReader(algorithm, AsnEncodingRules.DER).ReadSequence();
        var oid = identifier.ReadObjectIdentifier();
        switch (oid)
        {
            case "1.2.840.10045.4.3.2" or "1.2.840.10045.4.3.3" or "1.2.840.10045.4.3.4":
                using (var key = authority.GetECDsaPublicKey())
                {
                    return key?.VerifyData(signed, signature, EcdsaHash(oid), DSASignatureFormat.Rfc3279DerSequence) == true;
                }

            case "1.2.840.113549.1.1.11" or "1.2.840.113549.1.1.12" or "1.2.840.113549.1.1.13":
                using (var key = authority.GetRSAPublicKey())
                {
                    return key?.VerifyData(signed, signature, RsaHash(oid), RSASignaturePadding.Pkcs1) == true;
                }

            case "1.2.840.113549.1.1.10":
                using (var key = authority.GetRSAPublicKey())
                {
                    return key?.VerifyData(signed, signature, PssHash(identifier.ReadSequence()), RSASignaturePadding.Pss) == true;
                }

            default:
                throw new CryptographicException($"The signature algorithm {oid} is not supported.");
        }
    }

    private static HashAlgorithmName EcdsaHash(string oid)
        => oid[^1] switch { '2' => HashAlgorithmName.SHA256, '3' => HashAlgorithmName.SHA384, _ => HashAlgorithmName.SHA512 };

    private static HashAlgorithmName RsaHash(string oid)
        => oid[^1] switch { '1' => HashAlgorithmName.SHA256, '2' => HashAlgorithmName.SHA384, _ => HashAlgorithmName.SHA512 };

    // RSASSA-PSS-params: without its first member it is SHA-1.
    private static HashAlgorithmName PssHash(AsnReader parameters)
    {
        var hash = new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true);
        return (parameters.HasData && parameters.PeekTag() == hash ? parameters.ReadSequence(hash).ReadSequence().ReadObjectIdentifier() : null) switch
        {
            "2.16.840.1.101.3.4.2.1" => HashAlgorithmName.SHA256,
            "2.16.840.1.101.3.4.2.2" => HashAlgorithmName.SHA384,
            "2.16.840.1.101.3.4.2.3" => HashAlgorithmName.SHA512,
            var other => throw new CryptographicException($"RSASSA-PSS with {other ?? "SHA-1"} is not supported."),
        };
    }
}
