using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.Cli.Output;

/// <summary>JSON written as YAML. What could be read as anything but the text that it is stands in quotes, escaped as in JSON, which YAML reads alike.</summary>
internal static class Yaml
{
    private static readonly JsonSerializerOptions Quoting = new() { Encoder = JavaScriptEncoder.Default };
    private static readonly string[] Words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"];

    public static string Of(JsonNode? node)
    {
        var text = new StringBuilder();
        Write(text, node, 0, isInline: false);
        return text.ToString();
    }

    private static void Write(StringBuilder text, JsonNode? node, int depth, bool isInline)
    {
        switch (node)
        {
            case JsonObject { Count: > 0 } fields:
                var first = isInline;
                foreach (var (key, value) in fields)
                {
                    text.Append(' ', first ? 0 : depth * 2).Append(Scalar(key)).Append(':');
                    first = false;
                    Value(text, value, depth);
                }

                break;
            case JsonArray { Count: > 0 } items:
                foreach (var item in items)
                {
                    text.Append(' ', depth * 2).Append("- ");
                    if (item is JsonObject { Count: > 0 })
                    {
                        Write(text, item, depth + 1, isInline: true);
                    }
                    else if (item is JsonArray { Count: > 0 })
                    {
                        text.Length--;
                        text.Append('\n');
                        Write(text, item, depth + 1, isInline: false);
                    }
                    else
                    {
                        text.Append(Leaf(item)).Append('\n');
                    }
                }

                break;
            default:
                text.Append(Leaf(node)).Append('\n');
                break;
        }
    }

    private static void Value(StringBuilder text, JsonNode? value, int depth)
    {
        switch (value)
        {
            case JsonObject { Count: > 0 }:
                text.Append('\n');
                Write(text, value, depth + 1, isInline: false);
                break;
            case JsonArray { Count: > 0 }:
                // As Kubernetes' tools do: items stand under their key.
                text.Append('\n');
                Write(text, value, depth, isInline: false);
                break;
            default:
                text.Append(' ').Append(Leaf(value)).Append('\n');
                break;
        }
    }

    private static string Leaf(JsonNode? node) => node switch
    {
        null => "null",
        JsonObject => "{}",
        JsonArray => "[]",
        JsonValue value when value.GetValueKind() == JsonValueKind.String => Scalar(value.GetValue<string>()),
        _ => node.ToJsonString(),
    };

    private static string Scalar(string text)
    {
        var isPlain = text.Length > 0
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '/' or '-' or '|' or ':' or ' ' or '@' or '+' or '=' or '*' or ',' or '(' or ')')
            && (char.IsAsciiLetter(text[0]) || text[0] is '/' or '_')
            && !text.Contains(": ", StringComparison.Ordinal) && !text.EndsWith(':') && !text.EndsWith(' ')
            && !Words.Contains(text, StringComparer.OrdinalIgnoreCase)
            && !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _);
        return isPlain ? text : JsonSerializer.Serialize(text, Quoting);
    }
}
