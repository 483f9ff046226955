using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.ControlPlane.Security;

/// <summary>Who signs now, and who is trusted; immutable, replaced whole.</summary>
/// <param name="certificate">The certificate that signs: a root or an intermediate.</param>
/// <param name="key">Its key.</param>
/// <param name="intermediates">What workloads show besides their own certificate: from <paramref name="certificate"/> up, without the root.</param>
/// <param name="roots">Every root that is trusted.</param>
internal sealed class Issuer(X509Certificate2 certificate, SigningKey key, IReadOnlyList<X509Certificate2> intermediates, IReadOnlyList<X509Certificate2> roots)
{
    private readonly Lock _signing = new();

    public X509Certificate2 Certificate { get; } = certificate;

    public IReadOnlyList<X509Certificate2> Intermediates { get; } = intermediates;

    public IReadOnlyList<X509Certificate2> Roots { get; } = roots;

    /// <summary>The roots in PEM.</summary>
    public string RootsPem { get; } = PemOf(roots);

    /// <summary>The intermediates in PEM.</summary>
    public string IntermediatesPem { get; } = PemOf(intermediates);

    /// <summary>Signs a certificate that does not outlive its issuer.</summary>
    /// <exception cref="AuthorityException">The issuer has expired.</exception>
    public X509Certificate2 Sign(CertificateRequest request, DateTimeOffset now, TimeSpan lifetime, TimeSpan skew)
    {
        var (issuerFrom, issuerTo) = (Utc(Certificate.NotBefore), Utc(Certificate.NotAfter));
        if (now >= issuerTo)
        {
            throw new AuthorityException($"the authority's certificate has expired at {issuerTo.ToString("u", CultureInfo.InvariantCulture)}");
        }

        var from = now - skew < issuerFrom ? issuerFrom : now - skew;
        var to = now + lifetime > issuerTo ? issuerTo : now + lifetime;
        if (Certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Any())
        {
            request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        }

        lock (_signing)
        {
            return request.Create(Certificate.SubjectName, key.NewGenerator(), from, to, NewSerial());
        }
    }

    /// <summary>128 bits by chance, positive as RFC 5280 wants them.</summary>
    public static byte[] NewSerial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40);
        return serial;
    }

    /// <summary>The certificate's times are local ones.</summary>
    public static DateTimeOffset Utc(DateTime certificateTime) => new(certificateTime.ToUniversalTime(), TimeSpan.Zero);

    public override string ToString() => Certificate.Subject;

    private static string PemOf(IEnumerable<X509Certificate2> certificates)
        => string.Concat(certificates.Select(certificate => certificate.ExportCertificatePem() + "\n"));
}
