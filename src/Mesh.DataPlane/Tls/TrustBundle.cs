using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.DataPlane.Tls;

/// <summary>The authorities of one trust domain, and what they have taken back.</summary>
internal sealed record TrustBundle(X509Certificate2Collection Authorities, RevocationLists Revoked)
{
    /// <exception cref="CryptographicException">There is no certificate in it, or it cannot be read.</exception>
    public static TrustBundle FromPem(string pem)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(pem);
        return authorities.Count > 0
            ? new TrustBundle(authorities, RevocationLists.FromPem(pem))
            : throw new CryptographicException("There is no certificate in it.");
    }

    public bool Has(X509Certificate2 certificate)
    {
        foreach (var authority in Authorities)
        {
            if (authority.RawDataMemory.Span.SequenceEqual(certificate.RawDataMemory.Span))
            {
                return true;
            }
        }

        return false;
    }
}
