using Mesh.ControlPlane.Config.Yaml;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>Labels as Kubernetes takes them.</summary>
internal static class LabelValidator
{
    public static void Validate(IEnumerable<KeyValuePair<string, string>> labels, string path, ValidationContext context)
    {
        foreach (var (key, value) in labels)
        {
            var at = YamlPath.Append(path, key);
            var slash = key.IndexOf('/');
            if (!IsPart(slash < 0 ? key : key[(slash + 1)..], empty: false) || (slash >= 0 && !DnsName.IsSubdomain(key.AsSpan(0, slash))))
            {
                context.Error(at, $"\"{key}\" is not a label's key: at most 63 letters, digits, '-', '_' and '.', after an optional domain and '/'.");
            }

            if (!IsPart(value, empty: true))
            {
                context.Error(at, $"\"{value}\" is not a label's value: at most 63 letters, digits, '-', '_' and '.', letters or digits at both ends.");
            }
        }
    }

    private static bool IsPart(string text, bool empty)
        => text.Length == 0
            ? empty
            : text.Length <= 63
                && char.IsAsciiLetterOrDigit(text[0])
                && char.IsAsciiLetterOrDigit(text[^1])
                && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
