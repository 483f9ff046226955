using System.Security.Cryptography.X509Certificates;
using Mesh.Identity;

namespace Mesh.ControlPlane.Security;

/// <summary>Reads who a workload's certificate says it is, if this mesh's authority says so.</summary>
internal static class CertificateVerifier
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private const int MaxIntermediates = 16;

    public static Authentication Verify(
        X509Certificate2 certificate, IReadOnlyList<X509Certificate2> chain, IReadOnlyList<X509Certificate2> roots, TrustDomains domains, DateTimeOffset now)
    {
        if (!CertificateChains.LeadsTo(certificate, chain.Take(MaxIntermediates), roots, now, out var problem, ClientAuthentication))
        {
            return Authentication.Failed($"the certificate is not trusted ({problem})");
        }

        if (certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(constraints => constraints.CertificateAuthority))
        {
            return Authentication.Failed("the certificate is that of an authority, not of a workload");
        }

        if (IdentityOf(certificate) is not { } id)
        {
            return Authentication.Failed("the certificate does not name exactly one SPIFFE identity");
        }

        if (!domains.Include(id.TrustDomain))
        {
            return Authentication.Failed($"the certificate is of the trust domain {id.TrustDomain}, which is not this mesh's");
        }

        return id is { Namespace: { } ns, ServiceAccount: { } account }
            ? Authentication.Of(new AuthenticatedCaller($"certificate of {id}", AccountSet.Of(ns, account), Issuer.Utc(certificate.NotAfter)))
            : Authentication.Failed($"{id} is not the identity of a service account");
    }

    /// <summary>The one URI among the names; <see langword="null"/> when there are none or several (X.509-SVID, section 2).</summary>
    private static SpiffeId? IdentityOf(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.Where(extension => extension.Oid?.Value == SubjectAltName.Oid).ToArray();
        return names is [var one] && SubjectAltName.TryReadUris(one.RawData, out var uris) && uris is [var uri] && SpiffeId.TryParse(uri, out var id) ? id : null;
    }
}
