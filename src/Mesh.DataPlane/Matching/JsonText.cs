using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.DataPlane.Matching;

/// <summary>Looks at texts and numbers of JSON where they lie: a claim of a token is not copied to be compared.</summary>
internal static class JsonText
{
    private const int MaxOnStack = 256;

    /// <returns><see langword="false"/> when the value is no text, too.</returns>
    public static bool TryMatch(JsonValue value, StringMatcher matcher)
    {
        if (value.TryGetValue<JsonElement>(out var element))
        {
            if (element.ValueKind != JsonValueKind.String)
            {
                return false;
            }

            var raw = JsonMarshal.GetRawUtf8Value(element);
            if (raw.Length <= MaxOnStack && !raw.Contains((byte)'\\'))
            {
                Span<char> buffer = stackalloc char[MaxOnStack];
                return matcher.IsMatch(buffer[..Encoding.UTF8.GetChars(raw[1..^1], buffer)]);
            }

            return matcher.IsMatch(element.GetString());
        }

        return value.TryGetValue<string>(out var text) && matcher.IsMatch(text);
    }

    /// <returns><see langword="null"/> when it is no number.</returns>
    public static double? NumberOf(JsonNode? node)
    {
        if (node is not JsonValue value || node.GetValueKind() != JsonValueKind.Number)
        {
            return null;
        }

        return value.TryGetValue<JsonElement>(out var element) ? element.GetDouble()
            : value.TryGetValue<double>(out var floating) ? floating
            : value.TryGetValue<long>(out var integer) ? integer
            : value.TryGetValue<int>(out var small) ? small
            : double.Parse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture);
    }
}
