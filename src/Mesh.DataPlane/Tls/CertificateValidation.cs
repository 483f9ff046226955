using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.Identity;

namespace Mesh.DataPlane.Tls;

/// <summary>What is asked of a peer's certificate (Envoy's <c>CertificateValidationContext</c>).</summary>
internal sealed class CertificateValidation
{
    public required TrustMode Trust { get; init; }

    /// <summary>The authorities, where they are given.</summary>
    public Reloaded<X509Certificate2Collection>? Roots { get; init; }

    /// <summary>The authorities by trust domain, where they are given so.</summary>
    public SpiffeTrust? TrustDomains { get; init; }

    /// <summary>What the authorities have taken back; <see langword="null"/> when nobody says.</summary>
    public Reloaded<RevocationLists>? Revoked { get; init; }

    /// <summary>Whether only the peer's own certificate is looked up there (<c>only_verify_leaf_cert_crl</c>).</summary>
    public bool OnlyVerifiesLeafCertificateRevocation { get; init; }

    /// <summary>One of these must match; none are asked for when empty.</summary>
    public IReadOnlyList<SanMatcher> Names { get; init; } = [];

    /// <summary>SHA-256 of certificates, one of which (or of <see cref="KeyHashes"/>) must be the peer's.</summary>
    public IReadOnlyList<byte[]> Hashes { get; init; } = [];

    /// <summary>SHA-256 of public keys (<c>SubjectPublicKeyInfo</c>).</summary>
    public IReadOnlyList<byte[]> KeyHashes { get; init; } = [];

    public bool AllowExpired { get; init; }

    /// <summary>Whether a certificate counts only as long as it says.</summary>
    public bool HoldsToValidity => !AllowExpired && Trust is not (TrustMode.Anybody or TrustMode.Pinned);

    /// <summary>How many certificates may be between the peer's and the authority's.</summary>
    public uint? MaxDepth { get; init; }

    /// <summary>How the framework builds the chain that <see cref="Verify"/> is given.</summary>
    public X509ChainPolicy CreateChainPolicy(TimeProvider time)
    {
        var policy = new X509ChainPolicy
        {
            // An authority is asked neither for certificates that the peer has left out nor for its list: such calls would go beside the mesh.
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            VerificationTimeIgnored = false,
            VerificationTime = time.GetUtcNow().UtcDateTime,
        };
        if (Trust != TrustMode.System)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            if (Roots is not null)
            {
                policy.CustomTrustStore.AddRange(Roots.Get());
            }

            foreach (var bundle in TrustDomains?.Bundles.Values ?? [])
            {
                policy.CustomTrustStore.AddRange(bundle.Authorities);
            }
        }

        return policy;
    }

    /// <summary>Judges a certificate.</summary>
    /// <param name="certificate">The peer's; <see langword="null"/> when it has shown none.</param>
    /// <param name="chain">What leads from it to an authority, as far as that goes.</param>
    /// <param name="host">The host that it must be for, whatever the names say; <see langword="null"/> for any.</param>
    /// <param name="onlyHost">Whether the names count for nothing beside the host.</param>
    /// <returns>Why it is refused, in Envoy's words and for people; <see langword="null"/> when it is not.</returns>
    public (string Reason, string Explanation)? Verify(X509Certificate2? certificate, X509Chain? chain, string? host, bool onlyHost)
    {
        if (Trust == TrustMode.Anybody)
        {
            return null;
        }

        if (certificate is null)
        {
            return ("peer did not return a certificate", "The peer has shown no certificate.");
        }

        var names = SubjectAltNames.Of(certificate);
        if (SpiffeCertificate.Check(certificate, names, Trust == TrustMode.Spiffe, out var id) is { } refusal)
        {
            return refusal;
        }

        if (Trust == TrustMode.Spiffe && TrustDomains!.Bundles.GetValueOrDefault(id.TrustDomain) is null)
        {
            return ("no trust bundle store", $"The certificate of {id} is of a trust domain whose authorities are not known.");
        }

        if (Trust != TrustMode.Pinned && ChainError(certificate, chain, id) is { } error)
        {
            return (error, $"The certificate of '{(certificate.Subject.Length > 0 ? certificate.Subject : names)}', issued by '{certificate.Issuer}', is not accepted: {error}.");
        }

        if ((host is not null && !names.AreFor(host)) || (!onlyHost && Names.Count > 0 && !Names.Any(n => n.Matches(names))))
        {
            return (Trust == TrustMode.Spiffe ? "SAN match" : "verify SAN list", $"The certificate is for {names}, not for {(host ?? string.Join(" or ", Names.Select(n => n.Matcher)))}.");
        }

        return (Hashes.Count > 0 || KeyHashes.Count > 0) && !IsPinned(certificate)
            ? ("cert hash and spki", $"The certificate of '{certificate.Subject}' is none of those that are pinned.")
            : null;
    }

    private string? ChainError(X509Certificate2 certificate, X509Chain? chain, SpiffeId id)
    {
        if (Trust != TrustMode.Spiffe)
        {
            return ChainErrors.Of(chain, AllowExpired, MaxDepth, IsGiven) ?? Revoked?.Get().Check(chain!, OnlyVerifiesLeafCertificateRevocation);
        }

        // The framework has built the chain to any authority: now to those of the trust domain alone.
        var bundle = TrustDomains!.Bundles[id.TrustDomain];
        using var own = new X509Chain { ChainPolicy = chain?.ChainPolicy.Clone() ?? new X509ChainPolicy() };
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.Clear();
        own.ChainPolicy.CustomTrustStore.AddRange(bundle.Authorities);
        own.Build(certificate);
        var revoked = bundle.Revoked.With(Revoked?.Get() ?? RevocationLists.None);
        return ChainErrors.Of(own, AllowExpired, MaxDepth, bundle.Has) ?? revoked.Check(own, OnlyVerifiesLeafCertificateRevocation);
    }

    private bool IsGiven(X509Certificate2 certificate)
        => Roots is not null && Roots.Get().Any(root => root.RawDataMemory.Span.SequenceEqual(certificate.RawDataMemory.Span));

    private bool IsPinned(X509Certificate2 certificate)
    {
        var hash = SHA256.HashData(certificate.RawDataMemory.Span);
        var key = SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo());
        return Hashes.Any(h => h.AsSpan().SequenceEqual(hash)) || KeyHashes.Any(h => h.AsSpan().SequenceEqual(key));
    }
}
