using System.Collections.Frozen;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Mesh.Xds.Redaction;

/// <summary>
/// Takes out of JSON what only the owner may know: private keys, passwords, and the values of headers that carry credentials. It goes by words, as documents
/// and pages are no messages of the wire; for those see <see cref="MessageRedaction"/>.
/// </summary>
internal static partial class SecretRedaction
{
    /// <summary>What stands there instead.</summary>
    public const string Redacted = CredentialHeaders.Redacted;

    /// <summary>The same in a field of bytes, which JSON has in base64; what Envoy writes there.</summary>
    public const string RedactedBytes = "W3JlZGFjdGVkXQ==";

    /// <summary>Fields, headers and variables, in lower case and without dashes and underscores.</summary>
    private static readonly FrozenSet<string> Secret = FrozenSet.Create(
        StringComparer.Ordinal,
        "authorization", "proxyauthorization", "cookie", "setcookie", "password", "passwd", "passphrase", "token", "bearertoken", "accesstoken", "authtoken",
        "refreshtoken", "idtoken", "xauthtoken", "xaccesstoken", "xcsrftoken", "xamzsecuritytoken", "apikey", "xapikey", "clientsecret", "secretkey", "hmacsecret",
        "privatekey", "inlineprivatekey", "genericsecret", "sessionticketkeys", "presharedkey");

    /// <summary>Fields that hold nothing but what is secret, at whatever depth.</summary>
    private static readonly FrozenSet<string> Whole = FrozenSet.Create(
        StringComparer.Ordinal, "privatekey", "password", "genericsecret", "sessionticketkeys", "privatekeyprovider", "clientsecret", "hmacsecret");

    /// <summary>Fields of something with a name that hold its value, or what its value is compared with.</summary>
    public static FrozenSet<string> Values { get; } = FrozenSet.Create(
        StringComparer.Ordinal,
        "value", "values", "notvalues", "rawvalue", "exact", "contains", "regex", "suffix", "exactmatch", "prefixmatch", "suffixmatch", "containsmatch", "saferegexmatch", "stringmatch",
        "saferegex", "matchpattern");

    /// <summary>Fields that say what the value beside them is of.</summary>
    private static readonly string[] Names = ["name", "key", "headerName", "header_name"];

    /// <summary>Changes the JSON that it is given.</summary>
    public static void Apply(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject fields:
                Apply(fields);
                break;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                {
                    if (TextOf(items[i]) is { } text)
                    {
                        items[i] = Clean(text) is { } clean ? clean : items[i]!.DeepClone();
                    }
                    else
                    {
                        Apply(items[i]);
                    }
                }

                break;
        }
    }

    private static void Apply(JsonObject fields)
    {
        var isNamed = Names.Any(name => TextOf(fields[name]) is { } text && IsSecret(text));
        foreach (var (key, value) in fields.ToArray())
        {
            var plain = Plain(key);
            if (value is null)
            {
                continue;
            }

            if (Whole.Contains(plain) || (isNamed && Values.Contains(plain)))
            {
                fields[key] = Blank(value, plain);
            }
            else if (Secret.Contains(plain))
            {
                fields[key] = value is JsonValue ? Blank(value, plain) : BlankMatch(value.DeepClone());
            }
            else if (TextOf(value) is { } text)
            {
                if (Clean(text) is { } clean)
                {
                    fields[key] = clean;
                }
            }
            else
            {
                Apply(value);
            }
        }
    }

    /// <summary>Something that carries a secret name and is no text: a match on a header's value, or a message that only has that name.</summary>
    private static JsonNode BlankMatch(JsonNode node)
    {
        if (node is JsonObject fields)
        {
            foreach (var (key, value) in fields.ToArray())
            {
                if (value is JsonValue && (Values.Contains(Plain(key)) || Plain(key) == "prefix"))
                {
                    fields[key] = Blank(value, Plain(key));
                }
                else if (value is not JsonValue)
                {
                    fields[key] = value is null ? null : BlankMatch(value.DeepClone());
                }
            }
        }
        else if (node is JsonArray items)
        {
            for (var i = 0; i < items.Count; i++)
            {
                items[i] = items[i] is { } item ? Blank(item, "") : null;
            }
        }

        return node;
    }

    /// <summary>The same shape with every text gone.</summary>
    private static JsonNode Blank(JsonNode node, string field)
    {
        switch (node)
        {
            case JsonObject fields:
                var blank = new JsonObject();
                foreach (var (key, value) in fields)
                {
                    // Where it is to be found may be said.
                    blank[key] = value is null ? null : Plain(key) is "filename" or "environmentvariable" or "watcheddirectory" ? value.DeepClone() : Blank(value, Plain(key));
                }

                return blank;
            case JsonArray items:
                return new JsonArray([.. items.Select(item => item is null ? null : Blank(item, field))]);
            default:
                return TextOf(node) is null ? node.DeepClone() : JsonValue.Create(field is "inlinebytes" or "rawvalue" ? RedactedBytes : Redacted);
        }
    }

    /// <returns>The text without what is secret; <see langword="null"/> when nothing in it is.</returns>
    public static string? Clean(string text)
        => text.Contains("PRIVATE KEY-----", StringComparison.Ordinal) || SecretJwk().IsMatch(text) ? Redacted
            : text.Contains("://", StringComparison.Ordinal) && UserInfo().IsMatch(text) ? UserInfo().Replace(text, "://" + Redacted + "@")
            : null;

    /// <summary>Whether what carries this name (a header, a field) is nobody's business.</summary>
    public static bool IsSecret(string name)
    {
        // AuthorizationPolicy writes request.headers[authorization].
        var open = name.IndexOf('[', StringComparison.Ordinal);
        var plain = open >= 0 && name.EndsWith(']') ? name[(open + 1)..^1] : name;
        return Secret.Contains(Plain(plain)) || (plain.Contains('-', StringComparison.Ordinal) && CredentialHeaders.ArePersonal(plain));
    }

    public static string Plain(string name) => name.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();

    private static string? TextOf(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>Keys of a JSON Web Key Set that are not public: symmetric ones, and private halves.</summary>
    [GeneratedRegex("\"kty\"\\s*:\\s*\"oct\"|\"d\"\\s*:\\s*\"", RegexOptions.CultureInvariant)]
    private static partial Regex SecretJwk();

    [GeneratedRegex("://[^/@\\s]+@", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant)]
    private static partial Regex UserInfo();
}
