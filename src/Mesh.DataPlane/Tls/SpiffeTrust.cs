using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.Identity;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tls;

/// <summary>
/// Whom to believe what, by trust domain (Envoy's <c>envoy.tls.cert_validator.spiffe</c>): an authority signs for its own trust domain and for no other.
/// </summary>
internal sealed class SpiffeTrust
{
    private readonly Reloaded<FrozenDictionary<string, TrustBundle>> _bundles;

    private readonly IReadOnlyList<string> _names;

    // The names are those of the sources, or none where a source has its own.
    private SpiffeTrust(IReadOnlyList<string> names, IReadOnlyList<SecretData> sources)
    {
        _names = names;
        _bundles = new Reloaded<FrozenDictionary<string, TrustBundle>>(
            sources,
            read => names.Count == 0
                ? SpiffeBundleMap.Parse(read[0])
                : names.Zip(read).ToFrozenDictionary(p => p.First, p => TrustBundle.FromPem(Encoding.UTF8.GetString(p.Second)), StringComparer.Ordinal));
    }

    /// <summary>The authorities by trust domain.</summary>
    /// <exception cref="TlsFailureException">They have never been readable.</exception>
    public FrozenDictionary<string, TrustBundle> Bundles => _bundles.Get();

    /// <exception cref="ResourceRejectedException">It is another validator, or asks for what cannot be done.</exception>
    public static SpiffeTrust Compile(TypedExtensionConfig config, string path)
    {
        path += ".typed_config";
        if (config.TypedConfig?.Is(SPIFFECertValidatorConfig.Descriptor) != true)
        {
            throw new ResourceRejectedException(path, $"'{config.Name}' is not supported; the validator envoy.tls.cert_validator.spiffe is");
        }

        var message = WireMessage.Parse(SPIFFECertValidatorConfig.Parser, config.TypedConfig.Value, path);
        Validate(message, config.TypedConfig, path);
        if (message.TrustBundles is { } map)
        {
            // As in Envoy, the map goes before the list.
            var source = SecretData.Compile(map, path + ".trust_bundles");
            return Checked(new SpiffeTrust([], [source]), [source], path + ".trust_bundles");
        }

        var names = new List<string>();
        var sources = new List<SecretData>();
        for (var i = 0; i < message.TrustDomains.Count; i++)
        {
            var (domain, at) = (message.TrustDomains[i], $"{path}.trust_domains[{i}]");
            if (domain.WorkloadTrustDomain.Length > 0)
            {
                throw new ResourceRejectedException(at + ".workload_trust_domain", "is not supported");
            }

            if (!SpiffeId.TryParse("spiffe://" + domain.Name, out var id) || id.Path.Length > 0)
            {
                throw new ResourceRejectedException(at + ".name", $"'{domain.Name}' is no trust domain; write it as in example.org");
            }

            if (names.Contains(domain.Name))
            {
                throw new ResourceRejectedException(at + ".name", $"'{domain.Name}' is named twice");
            }

            names.Add(domain.Name);
            sources.Add(SecretData.Compile(domain.TrustBundle ?? throw new ResourceRejectedException(at + ".trust_bundle", "must be set"), at + ".trust_bundle"));
        }

        return Checked(new SpiffeTrust(names, sources), sources, path + ".trust_domains");
    }

    public override string ToString() => _names.Count == 0 ? "a map of SPIFFE bundles" : string.Join(", ", _names);

    // The published rule wants a list even where the map is given.
    private static void Validate(SPIFFECertValidatorConfig message, Any config, string path)
    {
        var complete = message;
        if (message is { TrustBundles: not null, TrustDomains.Count: 0 })
        {
            complete = message.Clone();
            complete.TrustDomains.Add(new SPIFFECertValidatorConfig.Types.TrustDomain { Name = "-" });
        }

        WireMessage.Validate(complete, config.Value, SPIFFECertValidatorConfig.Parser, path);
    }

    // Files may come later; what was sent will not get better.
    private static SpiffeTrust Checked(SpiffeTrust trust, List<SecretData> sources, string path)
    {
        try
        {
            return sources.TrueForAll(source => source.IsInline) && trust.Bundles.Count == 0 ? throw new CryptographicException("There is no trust domain in it.") : trust;
        }
        catch (Exception e) when (e is TlsFailureException or CryptographicException)
        {
            throw new ResourceRejectedException(path, e.Message);
        }
    }
}
