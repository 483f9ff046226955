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
    public bool IsMatch(HttpExchange? exchange)
    {
        JsonNode? node = null;
        var exists = false;
        if (exchange?.ReadMetadata(Filter) is { } root)
        {
            node = root;
            exists = true;
            foreach (var segment in Path)
            {
                exists = node is JsonObject parent && parent.TryGetPropertyValue(segment, out node);
                if (!exists)
                {
                    node = null;
                    break;
                }
            }
        }

        return Value.IsMatch(node, exists) != Invert;
    }
}
