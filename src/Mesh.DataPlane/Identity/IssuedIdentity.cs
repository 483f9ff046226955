using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.DataPlane.Tls;
using Mesh.Identity;
using Mesh.Xds.Certificates;

namespace Mesh.DataPlane.Identity;

/// <summary>What a certificate authority has answered, looked at: it is used only when it holds together, so that a faulty answer never takes the place of a good one.</summary>
internal sealed class IssuedIdentity
{
    private IssuedIdentity(X509Certificate2 certificate, X509Certificate2[] chain, SpiffeId id, string roots)
        => (Certificate, Chain, Id, Authorities) = (certificate, chain, id, new CertificateValidationContext { TrustedCa = new DataSource { InlineString = roots } });

    /// <summary>The certificate with its key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>Those between it and its authority.</summary>
    public X509Certificate2[] Chain { get; }

    /// <summary>Who the workload is.</summary>
    public SpiffeId Id { get; }

    /// <summary>Whom to trust.</summary>
    public CertificateValidationContext Authorities { get; }

    /// <param name="issued">The answer.</param>
    /// <param name="key">The key that it must be for.</param>
    /// <param name="now">The time at which it must count.</param>
    /// <exception cref="IdentityException">It does not hold together.</exception>
    public static IssuedIdentity Read(IssuedCertificate issued, WorkloadKey key, DateTimeOffset now)
    {
        var (all, roots) = (Pem(issued.Chain, "the chain"), Pem(issued.Roots, "the authorities"));
        var leaf = all[0];
        var names = SubjectAltNames.Of(leaf);
        if (SpiffeCertificate.Check(leaf, names, isRequired: true, out var id) is var (_, explanation))
        {
            throw new IdentityException($"the answer is no workload's certificate: {explanation}");
        }

        Check(leaf, [.. all.Skip(1)], roots, now);
        try
        {
            return new IssuedIdentity(key.Join(leaf), [.. all.Skip(1)], id, issued.Roots);
        }
        catch (ArgumentException e)
        {
            throw new IdentityException("the certificate is for another key than the one that was sent", e);
        }
    }

    private static X509Certificate2Collection Pem(string text, string what)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(text);
        }
        catch (CryptographicException e)
        {
            throw new IdentityException($"{what} cannot be read: {e.Message}", e);
        }

        return certificates.Count > 0 ? certificates : throw new IdentityException($"there is no certificate in {what}");
    }

    private static void Check(X509Certificate2 leaf, X509Certificate2[] between, X509Certificate2Collection roots, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        chain.ChainPolicy.ExtraStore.AddRange(between);
        chain.Build(leaf);
        if (ChainErrors.Of(chain, isGiven: certificate => roots.Any(root => root.RawDataMemory.Span.SequenceEqual(certificate.RawDataMemory.Span))) is { } problem)
        {
            throw new IdentityException($"the certificate does not lead to the authorities that came with it: {problem}");
        }
    }
}
