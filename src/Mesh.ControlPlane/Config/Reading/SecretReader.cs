using Google.Protobuf;
using Mesh.ControlPlane.Config.Validation;
using Mesh.ControlPlane.Config.Yaml;
using Mesh.K8s.V1;

namespace Mesh.ControlPlane.Config.Reading;

/// <summary>
/// Reads a Secret: certificates, keys and authorities under the names that Istio reads, and nothing else of it. No message quotes anything that
/// stands in one.
/// </summary>
internal static class SecretReader
{
    /// <returns><see langword="null"/> for a Secret that has none of them, such as a password.</returns>
    public static IMessage? Read(YamlMapping root, YamlPath path, ReadContext context)
    {
        var secret = new Secret();
        var places = new Dictionary<string, (YamlNode Node, string Path)>(StringComparer.Ordinal);
        ReadEncoded(root, path, secret, places, context);

        // As in Kubernetes, what is given twice counts as it stands in stringData.
        ReadText(root, path, secret, places, context);
        if (root.TryGet("type", out var type) && type.Value is not YamlScalar { IsNull: true })
        {
            if (type.Value is YamlScalar { Type: YamlScalarType.String } name)
            {
                secret.Type = name.Value;
            }
            else
            {
                context.Error(type.Key, path.Key("type"), "must be a string.");
            }
        }

        if (secret.Data.Count == 0 && secret.Type != SecretKeys.TlsType)
        {
            return null;
        }

        if (!context.HasErrors)
        {
            SecretValidator.Validate(secret, (key, message) =>
            {
                var (node, at) = places.TryGetValue(key, out var place) ? place : (root.TryGet("data", out var data) ? data.Key : root, path.Key("data").ToString());
                context.Error(node, at, message);
            });
        }

        return secret;
    }

    private static void ReadEncoded(YamlMapping root, YamlPath path, Secret secret, Dictionary<string, (YamlNode Node, string Path)> places, ReadContext context)
    {
        foreach (var (key, value) in EntriesOf(root, "data", path, context))
        {
            var at = path.Key("data").Key(key.Value);
            if (!SecretKeys.All.Contains(key.Value) || value is YamlScalar { IsNull: true })
            {
                continue;
            }

            var encoded = value is YamlScalar { Type: YamlScalarType.String } text ? text.Value.ReplaceLineEndings("").Trim() : null;
            var bytes = new byte[(encoded?.Length ?? 0) / 4 * 3];
            if (encoded is null || !Convert.TryFromBase64String(encoded, bytes, out var length))
            {
                context.Error(value, at, "is not base64: encode it, or write it as it is under stringData.");
                continue;
            }

            secret.Data[key.Value] = ByteString.CopyFrom(bytes, 0, length);
            places[key.Value] = (value, at.ToString());
        }
    }

    private static void ReadText(YamlMapping root, YamlPath path, Secret secret, Dictionary<string, (YamlNode Node, string Path)> places, ReadContext context)
    {
        foreach (var (key, value) in EntriesOf(root, "stringData", path, context))
        {
            var at = path.Key("stringData").Key(key.Value);
            if (!SecretKeys.All.Contains(key.Value) || value is YamlScalar { IsNull: true })
            {
                continue;
            }

            if (value is not YamlScalar { Type: YamlScalarType.String } text)
            {
                context.Error(value, at, "must be a string.");
                continue;
            }

            secret.Data[key.Value] = ByteString.CopyFromUtf8(text.Value);
            places[key.Value] = (value, at.ToString());
        }
    }

    private static IReadOnlyList<YamlEntry> EntriesOf(YamlMapping root, string name, YamlPath path, ReadContext context)
    {
        if (!root.TryGet(name, out var entry) || entry.Value is YamlScalar { IsNull: true })
        {
            return [];
        }

        if (entry.Value is YamlMapping mapping)
        {
            return mapping.Entries;
        }

        context.Error(entry.Key, path.Key(name), "must be a mapping of names to values.");
        return [];
    }
}
