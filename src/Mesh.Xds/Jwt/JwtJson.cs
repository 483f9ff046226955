using System.Text.Json;
using System.Text.Unicode;

namespace Mesh.Xds.Jwt;

/// <summary>Reads the JSON of tokens and key sets: an object, no name twice, bounded in depth.</summary>
internal static class JwtJson
{
    // A name twice means one thing to whoever takes the first and another to whoever takes the last (RFC 7519, section 4).
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = 32 };

    public static bool TryParseObject(ReadOnlyMemory<byte> json, out JsonElement value)
    {
        value = default;
        if (!Utf8.IsValid(json.Span))
        {
            return false;
        }

        try
        {
            using var document = JsonDocument.Parse(json, Options);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                return false;
            }

            value = document.RootElement.Clone();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>A string, where there is one.</summary>
    /// <returns><see langword="false"/> when there is something else.</returns>
    public static bool TryGetString(JsonElement json, string name, out string? text)
    {
        text = null;
        if (!json.TryGetProperty(name, out var value))
        {
            return true;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            return false;
        }

        try
        {
            text = value.GetString();
            return true;
        }
        catch (InvalidOperationException)
        {
            // An escape that stands for half a character.
            return false;
        }
    }
}
