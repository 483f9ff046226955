using System.Globalization;
using System.Text.Json;
using Mesh.Xds.Bootstrap;

namespace Mesh.DataPlane.Identity;

/// <summary>Which files a <see cref="FileSource"/> reads, and how often.</summary>
/// <param name="Description">What names them, for people.</param>
/// <param name="Certificate">The certificate with those between it and its authority; <see langword="null"/> for none.</param>
/// <param name="PrivateKey">Its key.</param>
/// <param name="Authorities">Whom to trust; <see langword="null"/> for nobody in particular.</param>
/// <param name="BundleMap">Whom to trust by trust domain, which goes before <paramref name="Authorities"/> (gRFC A87).</param>
/// <param name="RefreshInterval">The time between two looks.</param>
internal sealed record FileSourceSettings(
    string Description, string? Certificate, string? PrivateKey, string? Authorities, string? BundleMap, TimeSpan RefreshInterval)
{
    public const string PluginName = "file_watcher";

    // gRFC A29.
    private static readonly TimeSpan DefaultRefreshInterval = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LongestRefreshInterval = TimeSpan.FromDays(1);

    /// <summary>Reads the configuration of the <c>file_watcher</c> plug-in.</summary>
    /// <param name="instance">The name of the entry of <c>certificate_providers</c>.</param>
    /// <param name="provider">The entry.</param>
    /// <exception cref="IdentityException">It is another plug-in, or cannot be used.</exception>
    public static FileSourceSettings Of(string instance, CertificateProviderConfig provider)
    {
        var path = $"certificate_providers.{instance}";
        if (provider.PluginName != PluginName)
        {
            throw new IdentityException($"{path}.plugin_name of the gRPC bootstrap is '{provider.PluginName}'; '{PluginName}' is supported");
        }

        path += ".config";
        var (certificate, key) = (Text("certificate_file"), Text("private_key_file"));
        var (authorities, map) = (Text("ca_certificate_file"), Text("spiffe_trust_bundle_map_file"));
        if (certificate is null != key is null)
        {
            throw new IdentityException($"{path} of the gRPC bootstrap must name certificate_file and private_key_file, or neither");
        }

        return (certificate ?? authorities ?? map) is null
            ? throw new IdentityException($"{path} of the gRPC bootstrap names no file: certificate_file with private_key_file, ca_certificate_file")
            : new FileSourceSettings($"the files of {path} in the gRPC bootstrap", certificate, key, authorities, map, Interval());

        string? Text(string name)
            => !provider.Config.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
                : value.ValueKind != JsonValueKind.String ? throw new IdentityException($"{path}.{name} of the gRPC bootstrap is {value.ValueKind} where a file's path belongs")
                : value.GetString() is { Length: > 0 } text ? text : null;

        // A duration as protobuf writes it in JSON: seconds and an s.
        TimeSpan Interval()
            => Text("refresh_interval") is not { } text ? DefaultRefreshInterval
                : text.EndsWith('s') && double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds > 0
                    ? TimeSpan.FromSeconds(Math.Clamp(seconds, 1, LongestRefreshInterval.TotalSeconds))
                    : throw new IdentityException($"{path}.refresh_interval of the gRPC bootstrap is '{text}', which is no duration such as \"600s\"");
    }

    public static FileSourceSettings Of(MeshIdentityFileOptions options)
        => new("the files of Mesh:Identity:Files", options.Certificate, options.PrivateKey, options.Authorities, null, options.RefreshInterval);
}
