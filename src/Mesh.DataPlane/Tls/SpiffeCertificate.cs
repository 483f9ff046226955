using System.Security.Cryptography.X509Certificates;
using Mesh.Identity;

namespace Mesh.DataPlane.Tls;

/// <summary>
/// What a certificate must be like that says by a URI who a workload is (X.509-SVID, sections 2 to 5). A certificate that has such a URI beside others, or that
/// may sign certificates itself, is no proof of it.
/// </summary>
internal static class SpiffeCertificate
{
    private const string Scheme = "spiffe:";

    /// <summary>Judges a certificate that a peer has shown.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="names">Its names.</param>
    /// <param name="isRequired">Whether it must be of that kind; else one that claims no identity is none of this matter.</param>
    /// <param name="id">Who it says the workload is.</param>
    /// <returns>Why it is refused, in Envoy's words and for people; <see langword="null"/> when it is not.</returns>
    public static (string Reason, string Explanation)? Check(X509Certificate2 certificate, SubjectAltNames names, bool isRequired, out SpiffeId id)
    {
        id = default;
        string? uri = null;
        var (uris, claims) = (0, isRequired);
        foreach (var name in names.Names)
        {
            if (name.Type == SubjectAltNameType.Uri)
            {
                uris++;
                uri ??= name.Value;
                claims |= name.Value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase);
            }
        }

        if (!claims)
        {
            return null;
        }

        if (uris > 1)
        {
            return Precheck($"it has {uris} URIs for names, and a workload has one identity");
        }

        if (CertificateFacts.Of(certificate).IsAuthority(certificate))
        {
            return Precheck("it may sign certificates, and a workload's may not");
        }

        return SpiffeId.TryParse(uri, out id) && id.Path.Length > 0
            ? null
            : (isRequired ? "no trust bundle store" : "cert precheck", $"The certificate is for {names}, which is no workload's SPIFFE identity.");

        (string, string)? Precheck(string why) => ("cert precheck", $"The certificate for {names} is not accepted: {why}.");
    }
}
