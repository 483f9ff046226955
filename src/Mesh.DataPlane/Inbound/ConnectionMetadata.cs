using System.Text.Json.Nodes;

namespace Mesh.DataPlane.Inbound;

/// <summary>What the filters of a connection leave for those after them, by the namespace of each (Envoy's dynamic metadata).</summary>
internal sealed class ConnectionMetadata
{
    private Dictionary<string, JsonObject>? _namespaces;

    /// <summary>Why a filter closes the connection, as <c>%CONNECTION_TERMINATION_DETAILS%</c> tells it; <see langword="null"/> where it has no words for it.</summary>
    public string? Details { get; set; }

    public JsonObject? Find(string name) => _namespaces?.GetValueOrDefault(name);

    public void Set(string name, JsonObject metadata) => (_namespaces ??= new(StringComparer.Ordinal))[name] = metadata;

    /// <summary>A namespace to write to.</summary>
    public JsonObject Of(string name)
    {
        if (Find(name) is not { } metadata)
        {
            Set(name, metadata = []);
        }

        return metadata;
    }
}
