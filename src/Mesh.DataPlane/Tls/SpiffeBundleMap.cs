using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Mesh.Identity;

namespace Mesh.DataPlane.Tls;

/// <summary>
/// The authorities of several trust domains in one document: <c>{"trust_domains": {"example.org": {"keys": [{"use": "x509-svid", "x5c": ["…"]}]}}}</c>, whose parts
/// are SPIFFE bundles (SPIFFE Trust Domain and Bundle, section 4).
/// </summary>
internal static class SpiffeBundleMap
{
    private const int MaxTrustDomains = 1000;
    private static readonly JsonDocumentOptions _options = new() { MaxDepth = 16 };

    /// <exception cref="CryptographicException">It is no such document.</exception>
    public static FrozenDictionary<string, TrustBundle> Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, _options);
            var bundles = new Dictionary<string, TrustBundle>(StringComparer.Ordinal);
            foreach (var domain in document.RootElement.GetProperty("trust_domains").EnumerateObject())
            {
                if (bundles.Count == MaxTrustDomains)
                {
                    throw new CryptographicException($"There are more than {MaxTrustDomains} trust domains in it.");
                }

                if (!SpiffeId.TryParse("spiffe://" + domain.Name, out var id) || id.Path.Length > 0)
                {
                    throw new CryptographicException($"'{domain.Name}' is no trust domain.");
                }

                if (!bundles.TryAdd(domain.Name, Bundle(domain.Name, domain.Value)))
                {
                    throw new CryptographicException($"The trust domain '{domain.Name}' is in it twice.");
                }
            }

            return bundles.Count > 0 ? bundles.ToFrozenDictionary(StringComparer.Ordinal) : throw new CryptographicException("There is no trust domain in it.");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new CryptographicException($"It is no map of SPIFFE bundles: {e.Message}", e);
        }
    }

    private static TrustBundle Bundle(string domain, JsonElement bundle)
    {
        var authorities = new X509Certificate2Collection();
        foreach (var key in bundle.GetProperty("keys").EnumerateArray())
        {
            if (key.TryGetProperty("use", out var use) && use.GetString() == "x509-svid")
            {
                var chain = key.GetProperty("x5c");
                authorities.Add(chain.GetArrayLength() == 1
                    ? X509CertificateLoader.LoadCertificate(chain[0].GetBytesFromBase64())
                    : throw new CryptographicException($"A key of '{domain}' has {chain.GetArrayLength()} certificates in x5c, where one belongs."));
            }
        }

        return authorities.Count > 0 ? new TrustBundle(authorities, RevocationLists.None) : throw new CryptographicException($"There is no key for x509-svid of '{domain}' in it.");
    }
}
