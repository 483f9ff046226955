using System.Security.Cryptography;

namespace Mesh.Xds.Certificates;

/// <summary>What a workload asks of a certificate authority.</summary>
/// <param name="Csr">The request (PKCS #10, DER), signed with the key that the certificate is for.</param>
/// <param name="Validity">How long the certificate shall be valid; <see langword="null"/>: as long as the authority gives by default.</param>
internal sealed record CertificateSigningRequest(ReadOnlyMemory<byte> Csr, TimeSpan? Validity = null)
{
    private const int MaxPemLength = 32 * 1024;

    /// <summary>Takes the armour of PEM off.</summary>
    /// <returns>The request; empty when the text is none.</returns>
    public static ReadOnlyMemory<byte> Decode(string pem)
    {
        if (pem.Length > MaxPemLength || !PemEncoding.TryFind(pem, out var fields) || pem[fields.Label] is not ("CERTIFICATE REQUEST" or "NEW CERTIFICATE REQUEST"))
        {
            return default;
        }

        var bytes = new byte[fields.DecodedDataLength];
        return Convert.TryFromBase64String(pem[fields.Base64Data], bytes, out var written) ? bytes.AsMemory(0, written) : default;
    }
}
