using System.Security.Cryptography.X509Certificates;

namespace Mesh.ControlPlane.Security;

/// <summary>Whether a chain of certificates ends at a root that is trusted.</summary>
internal static class CertificateChains
{
    /// <param name="certificate">The first.</param>
    /// <param name="intermediates">What may lie between.</param>
    /// <param name="roots">Who is trusted; nobody else is.</param>
    /// <param name="now">The moment for which it shall hold.</param>
    /// <param name="problem">Why not.</param>
    /// <param name="purpose">The extended key usage that the first must have.</param>
    public static bool LeadsTo(
        X509Certificate2 certificate,
        IEnumerable<X509Certificate2> intermediates,
        IEnumerable<X509Certificate2> roots,
        DateTimeOffset now,
        out string problem,
        string? purpose = null)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTimeIgnored = false;
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        if (purpose is not null)
        {
            chain.ChainPolicy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid(purpose));
        }

        foreach (var root in roots)
        {
            chain.ChainPolicy.CustomTrustStore.Add(root);
        }

        foreach (var intermediate in intermediates)
        {
            chain.ChainPolicy.ExtraStore.Add(intermediate);
        }

        var built = chain.Build(certificate);
        problem = built ? "" : string.Join(", ", chain.ChainStatus.Select(status => status.Status).Distinct());
        return built;
    }
}
