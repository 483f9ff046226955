using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.K8s.V1;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>Whether the certificates and keys of a Secret can be used. What is told names the place and never what stands there.</summary>
internal static class SecretValidator
{
    /// <param name="secret">The Secret.</param>
    /// <param name="error">Takes the name in the Secret that is wrong, and why.</param>
    public static void Validate(Secret secret, Action<string, string> error)
    {
        foreach (var (certificate, key) in SecretKeys.Pairs)
        {
            var required = secret.Type == SecretKeys.TlsType && certificate == "tls.crt";
            Pair(TextOf(secret, certificate), TextOf(secret, key), certificate, key, required, error);
        }

        foreach (var (authorities, revoked) in SecretKeys.Authorities)
        {
            if (TextOf(secret, authorities) is { } roots && !HasCertificates(roots))
            {
                error(authorities, "has no certificate in PEM that can be read.");
            }

            if (TextOf(secret, revoked) is { } list && LabelOf(list, "X509 CRL") is null)
            {
                error(revoked, "has no list of revoked certificates in PEM.");
            }
        }
    }

    private static void Pair(string? chain, string? privateKey, string certificate, string key, bool required, Action<string, string> error)
    {
        if (chain is null || privateKey is null)
        {
            if (required || chain is not null || privateKey is not null)
            {
                var missing = chain is null ? certificate : key;
                error(missing, $"{missing} is missing or empty: a certificate ({certificate}) and its key ({key}) belong together.");
            }

            return;
        }

        if (!HasCertificates(chain))
        {
            error(certificate, "has no certificate in PEM that can be read.");
        }
        else if (LabelOf(privateKey, "ENCRYPTED PRIVATE KEY") is not null)
        {
            error(key, "is encrypted: give it without a password.");
        }
        else if (LabelOf(privateKey, "PRIVATE KEY") is null)
        {
            error(key, "has no private key in PEM.");
        }
        else if (!BelongTogether(chain, privateKey))
        {
            error(key, $"is not the key of the first certificate of {certificate}, or cannot be read.");
        }
    }

    private static string? TextOf(Secret secret, string name)
        => secret.Data.TryGetValue(name, out var bytes) && bytes.Length > 0 ? Encoding.UTF8.GetString(bytes.Span) : null;

    private static bool HasCertificates(string pem)
    {
        var found = new X509Certificate2Collection();
        try
        {
            found.ImportFromPem(pem);
            return found.Count > 0;
        }
        catch (CryptographicException)
        {
            return false;
        }
        finally
        {
            foreach (var certificate in found)
            {
                certificate.Dispose();
            }
        }
    }

    /// <summary>The first PEM block whose label ends so: EC, RSA and PKCS#8 keys have labels of their own.</summary>
    private static string? LabelOf(ReadOnlySpan<char> pem, string ending)
    {
        while (PemEncoding.TryFind(pem, out var fields))
        {
            if (pem[fields.Label].EndsWith(ending, StringComparison.Ordinal))
            {
                return pem[fields.Label].ToString();
            }

            pem = pem[fields.Location.End..];
        }

        return null;
    }

    private static bool BelongTogether(string chain, string privateKey)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(chain, privateKey);
            return certificate.HasPrivateKey;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return false;
        }
    }
}
