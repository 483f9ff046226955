using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.Identity;

namespace Mesh.ControlPlane.Security;

/// <summary>Reads a request for a certificate (PKCS #10) and checks what may be believed of it: that its sender has the key, and that the key is strong enough.</summary>
internal static class CertificateSigningRequestReader
{
    private const int MaxBytes = 16 * 1024;
    private const int MinRsaBits = 2048;
    private const int MaxRsaBits = 8192;
    private const string RsaKey = "1.2.840.113549.1.1.1";
    private const string EcKey = "1.2.840.10045.2.1";
    private const string P256 = "1.2.840.10045.3.1.7";
    private const string P384 = "1.3.132.0.34";

    /// <param name="der">The request.</param>
    /// <param name="key">The key that the certificate will be for.</param>
    /// <param name="requested">The identity that the request names; a wish and no more.</param>
    /// <returns>Why the request is refused; <see langword="null"/> when it is not.</returns>
    public static string? Read(ReadOnlyMemory<byte> der, out PublicKey? key, out SpiffeId? requested)
    {
        key = null;
        requested = null;
        if (der.Length is 0 or > MaxBytes)
        {
            return der.IsEmpty ? "it is no request in PEM" : $"the request has more than {MaxBytes} bytes";
        }

        CertificateRequest request;
        try
        {
            // The extensions are only read, never taken over. The signature is checked with the request's own key.
            request = CertificateRequest.LoadSigningRequest(
                der.ToArray(), HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions, RSASignaturePadding.Pkcs1);
        }
        catch (Exception e) when (e is CryptographicException or NotSupportedException or ArgumentException)
        {
            return "it is no request, or its signature is not by the key that it is for";
        }

        if (WeaknessOf(request.PublicKey) is { } weakness)
        {
            return weakness;
        }

        var uris = request.CertificateExtensions
            .Where(extension => extension.Oid?.Value == SubjectAltName.Oid)
            .SelectMany(extension => SubjectAltName.TryReadUris(extension.RawData, out var found) ? found : [])
            .Take(2)
            .ToArray();
        requested = uris is [var uri] && SpiffeId.TryParse(uri, out var id) ? id : null;
        key = request.PublicKey;
        return null;
    }

    private static string? WeaknessOf(PublicKey key)
    {
        const string Possible = "ECDSA P-256, ECDSA P-384 and RSA of 2048 to 8192 bits are possible";
        try
        {
            switch (key.Oid.Value)
            {
                case RsaKey:
                    using (var rsa = key.GetRSAPublicKey())
                    {
                        return rsa is { KeySize: >= MinRsaBits and <= MaxRsaBits } ? null : $"the key is RSA of {rsa?.KeySize} bits; {Possible}";
                    }

                case EcKey:
                    using (var ec = key.GetECDsaPublicKey())
                    {
                        var curve = ec?.ExportParameters(false).Curve;
                        return curve is { IsNamed: true } && (curve.Value.Oid.Value ?? NameOf(curve.Value)) is P256 or P384
                            ? null
                            : $"the key is of a curve that is not allowed; {Possible}";
                    }

                default:
                    return $"the key is of a type that is not allowed; {Possible}";
            }
        }
        catch (CryptographicException)
        {
            return $"the key cannot be read; {Possible}";
        }
    }

    // Some systems tell the curve's name only.
    private static string? NameOf(ECCurve curve) => curve.Oid.FriendlyName switch
    {
        "nistP256" or "ECDSA_P256" => P256,
        "nistP384" or "ECDSA_P384" => P384,
        _ => null,
    };
}
