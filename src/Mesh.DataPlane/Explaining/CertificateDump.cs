using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Tls;

namespace Mesh.DataPlane.Explaining;

/// <summary>A certificate, and never a key.</summary>
/// <param name="Subject">Whom it names (RFC 2253).</param>
/// <param name="Names">Its subject alternative names: <c>spiffe://…</c>, DNS names.</param>
/// <param name="Issuer">Who signed it.</param>
/// <param name="SerialNumber">In hexadecimal digits.</param>
/// <param name="ValidFrom">From when on it counts.</param>
/// <param name="ExpirationTime">Until when.</param>
/// <param name="DaysUntilExpiration">Whole days that are left; 0 when it has expired.</param>
/// <param name="Sha256">SHA-256 of the certificate in hexadecimal digits.</param>
internal sealed record CertificateDump(
    string Subject,
    IReadOnlyList<string> Names,
    string Issuer,
    string SerialNumber,
    DateTimeOffset ValidFrom,
    DateTimeOffset ExpirationTime,
    long DaysUntilExpiration,
    string Sha256)
{
    public static CertificateDump Of(X509Certificate2 certificate, TimeProvider time)
    {
        var until = new DateTimeOffset(certificate.NotAfter.ToUniversalTime());
        return new CertificateDump(
            certificate.Subject,
            [.. SubjectAltNames.Of(certificate).Names.Select(n => n.Value)],
            certificate.Issuer,
            certificate.SerialNumber,
            new DateTimeOffset(certificate.NotBefore.ToUniversalTime()),
            until,
            Math.Max(0, (long)(until - time.GetUtcNow()).TotalDays),
            Convert.ToHexStringLower(SHA256.HashData(certificate.RawDataMemory.Span)));
    }
}
