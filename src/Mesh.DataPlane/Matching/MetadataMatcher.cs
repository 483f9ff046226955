using System.Text.Json.Nodes;
using Mesh.Filters;

namespace Mesh.DataPlane.Matching;

/// <summary>Envoy's <c>MetadataMatcher</c>, compiled: follows a path through objects to a value that filters have left.</summary>
/// <param name="Filter">The namespace.</param>
/// <param name="Path">The way to the value below it.</param>
/// <param name="Value">What it has to be.</param>
/// <param name="Invert">A match is none, and the other way round.</param>
internal sealed record MetadataMatcher(string Filter, string[] Path, ValueMatcher Value, bool Invert)
{
    /// <param name="exchange">Whose metadata; <see langword="null"/> where there are none.</param>
    public bool IsMatch(HttpExchange? exchange) => IsMatchOf(exchange?.ReadMetadata(Filter));

    /// <param name="metadata">What the filter has left; <see langword="null"/> for nothing.</param>
    public bool IsMatchOf(JsonObject? metadata)
    {
        JsonNode? node = null;
        var exists = metadata is not null && TryFind(metadata, out node);
        return Value.IsMatch(node, exists) != Invert;
    }

    /// <summary>The value in what a filter has left; <see langword="null"/> when there is none.</summary>
    public JsonNode? Find(JsonObject root) => TryFind(root, out var node) ? node : null;

    private bool TryFind(JsonObject root, out JsonNode? node)
    {
        node = root;
        foreach (var segment in Path)
        {
            if (node is not JsonObject parent || !parent.TryGetPropertyValue(segment, out node))
            {
                node = null;
                return false;
            }
        }

        return true;
    }
}
