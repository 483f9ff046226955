using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mesh.Server.Admin;

/// <summary>How the admin writes JSON: names as Envoy's admin has them, nothing for what is not there, and no character that HTML would read.</summary>
internal static class AdminJson
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter() },
        WriteIndented = true,
    };
}
