using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.DataPlane.Inbound.Http;
using Mesh.Identity;

namespace Mesh.DataPlane.Tls;

/// <summary>
/// What a certificate says of its holder, read once: with handshake after handshake peers show the same few. It is found by all of the certificate's bytes, so
/// that it is never another's, and says nothing of whether the certificate is to be believed. There is a bounded number of places.
/// </summary>
internal sealed class CertificateFacts
{
    private const int Places = 512;

    // Nobody's certificate has so many names, and anybody may show one before it is judged.
    private const int MaxLength = 4 * 1024;

    private static readonly CertificateFacts?[] _known = new CertificateFacts?[Places];

    private string? _subject;
    private string? _sha256;
    private int _isAuthority;

    private CertificateFacts(X509Certificate2 certificate, ReadOnlySpan<byte> encoded)
    {
        Encoded = encoded.ToArray();
        Names = SubjectAltNames.Read(certificate);
        NotAfter = certificate.NotAfter.ToUniversalTime();
        UriNames = Of(SubjectAltNameType.Uri);
        DnsNames = Of(SubjectAltNameType.Dns);

        // The standard knows certificates with one identity; one with two names has none that could be relied on.
        Identity = UriNames is [var only] && SpiffeId.TryParse(only, out var id) ? id : null;

        string[] Of(SubjectAltNameType type) => [.. Names.Names.Where(n => n.Type == type).Select(n => n.Value)];
    }

    /// <summary>The certificate itself (DER).</summary>
    public byte[] Encoded { get; }

    public SubjectAltNames Names { get; }

    /// <summary>When it ends.</summary>
    public DateTimeOffset NotAfter { get; }

    /// <summary>Its URIs, in its order.</summary>
    public string[] UriNames { get; }

    /// <summary>Its DNS names, in its order.</summary>
    public string[] DnsNames { get; }

    /// <summary>The identity that it names, if there is one and no other.</summary>
    public SpiffeId? Identity { get; }

    /// <summary>SHA-256 of it in lower-case hexadecimal digits.</summary>
    public string Sha256 => _sha256 ??= Convert.ToHexStringLower(SHA256.HashData(Encoded));

    public static CertificateFacts Of(X509Certificate2 certificate)
    {
        var encoded = certificate.RawDataMemory.Span;
        if (encoded.Length > MaxLength)
        {
            return new CertificateFacts(certificate, encoded);
        }

        var hash = default(HashCode);
        hash.AddBytes(encoded);
        ref var place = ref _known[(uint)hash.ToHashCode() % Places];
        if (Volatile.Read(ref place) is { } known && encoded.SequenceEqual(known.Encoded))
        {
            return known;
        }

        var facts = new CertificateFacts(certificate, encoded);
        Volatile.Write(ref place, facts);
        return facts;
    }

    /// <summary>Its subject (RFC 2253); empty for none.</summary>
    /// <param name="certificate">The certificate that this is of.</param>
    public string SubjectOf(X509Certificate2 certificate) => _subject ??= DistinguishedNames.Text(certificate.SubjectName);

    /// <summary>Whether it may sign certificates or lists of revoked ones.</summary>
    /// <param name="certificate">The certificate that this is of.</param>
    public bool IsAuthority(X509Certificate2 certificate)
    {
        const int no = 1, yes = 2;
        if (_isAuthority == 0)
        {
            _isAuthority = MaySign(certificate) ? yes : no;
        }

        return _isAuthority == yes;
    }

    private static bool MaySign(X509Certificate2 certificate)
    {
        foreach (var extension in certificate.Extensions)
        {
            if (extension is X509BasicConstraintsExtension { CertificateAuthority: true }
                || (extension is X509KeyUsageExtension usage && (usage.KeyUsages & (X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign)) != 0))
            {
                return true;
            }
        }

        return false;
    }
}
