using Envoy.Config.Core.V3;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tls;

/// <summary>Compiles what is asked of a peer's certificate. What it cannot ask it refuses: a check that is left out lets the wrong one in.</summary>
internal static class CertificateValidationCompiler
{
    /// <summary>Judges what stands beside a secret: whom to trust is the secret's to say, all else must be possible already.</summary>
    /// <exception cref="ResourceRejectedException">It is not.</exception>
    public static void CheckDefaults(CertificateValidationContext defaults, string path)
    {
        var complete = defaults.Clone();
        complete.TrustedCa ??= complete.SystemRootCerts is null && complete.CustomValidatorConfig is null ? new DataSource { InlineString = "the secret's" } : null;
        Compile(complete, path);
    }

    /// <exception cref="ResourceRejectedException">It asks for what cannot be done, or for nothing at all.</exception>
    public static CertificateValidation Compile(CertificateValidationContext message, string path)
    {
        Refuse(message.CaCertificateProviderInstance is not null, path + ".ca_certificate_provider_instance");
        Refuse(message.RequireSignedCertificateTimestamp == true, path + ".require_signed_certificate_timestamp");
        Refuse(message.SuppressClientCaList, path + ".suppress_client_ca_list");
        if (message is { TrustedCa: not null, SystemRootCerts: not null })
        {
            throw new ResourceRejectedException(path + ".system_root_certs", "cannot be given beside trusted_ca");
        }

        var domains = message.CustomValidatorConfig is { } custom ? SpiffeTrust.Compile(custom, path + ".custom_validator_config") : null;
        if (domains is not null && (message.TrustedCa is not null || message.SystemRootCerts is not null))
        {
            throw new ResourceRejectedException(path + ".custom_validator_config", "says whom to trust, beside which nobody else can be named (trusted_ca, system_root_certs)");
        }

        byte[][] hashes = [.. message.VerifyCertificateHash.Select((hash, i) => Hash(hash, $"{path}.verify_certificate_hash[{i}]"))];
        byte[][] keys = [.. message.VerifyCertificateSpki.Select((hash, i) => KeyHash(hash, $"{path}.verify_certificate_spki[{i}]"))];
        var trust = message.TrustChainVerification == CertificateValidationContext.Types.TrustChainVerification.AcceptUntrusted ? TrustMode.Anybody
            : domains is not null ? TrustMode.Spiffe
            : message.TrustedCa is not null ? TrustMode.Given
            : message.SystemRootCerts is not null ? TrustMode.System
            : hashes.Length + keys.Length > 0 ? TrustMode.Pinned
            : throw new ResourceRejectedException(
                path + ".trusted_ca",
                "must be set, or system_root_certs, or hashes of certificates; to believe whoever answers, trust_chain_verification must say ACCEPT_UNTRUSTED");
#pragma warning disable CS0612 // The older form of the names, which some control planes still send.
        SanMatcher[] names =
        [
            .. message.MatchTypedSubjectAltNames.Select((m, i) => SanMatcher.Compile(m, $"{path}.match_typed_subject_alt_names[{i}]")),
            .. message.MatchSubjectAltNames.Select((m, i) => SanMatcher.Compile(m, $"{path}.match_subject_alt_names[{i}]")),
        ];
#pragma warning restore CS0612
        if (trust == TrustMode.Spiffe && message.MatchTypedSubjectAltNames.Select((m, i) => (m, i)).FirstOrDefault(p => p.m.SanType != SubjectAltNameMatcher.Types.SanType.Uri) is { m: not null } other)
        {
            throw new ResourceRejectedException($"{path}.match_typed_subject_alt_names[{other.i}].san_type", "must be URI: a workload's identity is one");
        }

        if (trust is TrustMode.Pinned or TrustMode.Anybody && message.Crl is not null)
        {
            throw new ResourceRejectedException(path + ".crl", "is a list of authorities, and none are asked for: set trusted_ca");
        }

        return new CertificateValidation
        {
            Trust = trust,
            TrustDomains = domains,
            Revoked = Revoked(message, path),
            OnlyVerifiesLeafCertificateRevocation = message.OnlyVerifyLeafCertCrl,
            Roots = message.TrustedCa is { } ca ? new Reloaded<X509Certificate2Collection>([SecretData.Compile(ca, path + ".trusted_ca")], Roots) : null,
            Names = names,
            Hashes = hashes,
            KeyHashes = keys,
            AllowExpired = message.AllowExpiredCertificate,
            MaxDepth = message.MaxVerifyDepth,
        };
    }

    // As in Envoy, lists may also stand among the authorities.
    private static Reloaded<RevocationLists>? Revoked(CertificateValidationContext message, string path)
    {
        var list = message.Crl is null ? null : SecretData.Compile(message.Crl, path + ".crl");
        if (list is { IsInline: true })
        {
            try
            {
                Lists(list.Read());
            }
            catch (CryptographicException e)
            {
                throw new ResourceRejectedException(path + ".crl", e.Message);
            }
        }

        var authorities = message.TrustedCa is null ? null : SecretData.Compile(message.TrustedCa, path + ".trusted_ca");
        if (authorities is { IsInline: true } && !RevocationLists.IsIn(Encoding.UTF8.GetString(authorities.Read())))
        {
            authorities = null;
        }

        return (list, authorities) switch
        {
            (null, null) => null,
            (null, _) => new Reloaded<RevocationLists>([authorities], read => RevocationLists.FromPem(Encoding.UTF8.GetString(read[0]))),
            (_, null) => new Reloaded<RevocationLists>([list], read => Lists(read[0])),
            _ => new Reloaded<RevocationLists>([list, authorities], read => Lists(read[0]).With(RevocationLists.FromPem(Encoding.UTF8.GetString(read[1])))),
        };
    }

    private static RevocationLists Lists(byte[] pem)
        => RevocationLists.FromPem(Encoding.UTF8.GetString(pem)) is { IsEmpty: false } lists ? lists : throw new CryptographicException("There is no X509 CRL in it.");

    private static void Refuse(bool isSet, string path)
    {
        if (isSet)
        {
            throw new ResourceRejectedException(path, "is not supported, and is not left out in silence: the cluster is refused");
        }
    }

    private static X509Certificate2Collection Roots(IReadOnlyList<byte[]> read)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(Encoding.UTF8.GetString(read[0]));
        return roots.Count > 0 ? roots : throw new CryptographicException("There is no certificate in it.");
    }

    // Hexadecimal, as openssl prints it: with colons or without.
    private static byte[] Hash(string text, string path)
    {
        try
        {
            if (Convert.FromHexString(text.Replace(":", "", StringComparison.Ordinal)) is { Length: SHA256.HashSizeInBytes } hash)
            {
                return hash;
            }
        }
        catch (FormatException)
        {
            // Told below.
        }

        throw new ResourceRejectedException(path, "must be a SHA-256 in hexadecimal");
    }

    private static byte[] KeyHash(string text, string path)
    {
        Span<byte> hash = stackalloc byte[64];
        return Convert.TryFromBase64String(text, hash, out var length) && length == SHA256.HashSizeInBytes
            ? hash[..length].ToArray()
            : throw new ResourceRejectedException(path, "must be a SHA-256 in base64");
    }
}
