using System.Text.Json.Nodes;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters;

/// <summary>A string that filters may have left in the dynamic metadata (Envoy's <c>MetadataKey</c>).</summary>
/// <param name="Filter">The namespace.</param>
/// <param name="Path">The way to it below.</param>
internal sealed record DynamicMetadata(string Filter, string[] Path)
{
    /// <returns><see langword="null"/> when there is nothing, or no text.</returns>
    public string? Find(HttpExchange exchange)
    {
        if (exchange.ReadMetadata(Filter) is not { } root)
        {
            return null;
        }

        JsonNode? node = root;
        foreach (var segment in Path)
        {
            node = node is JsonObject parent ? parent[segment] : null;
        }

        return node is JsonValue text && text.TryGetValue<string>(out var value) && value.Length > 0 ? value : null;
    }
}
