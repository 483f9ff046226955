using System.Text.Json.Nodes;
using Envoy.Config.Core.V3;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;

namespace Mesh.DataPlane.Resources;

/// <summary>What a resource says of itself, by namespaces (<c>filter_metadata</c>). Made readable when somebody reads it first.</summary>
internal sealed class ResourceMetadata : IEquatable<ResourceMetadata>
{
    private readonly MapField<string, Struct> _fields;
    private Dictionary<string, JsonObject>? _read;

    private ResourceMetadata(MapField<string, Struct> fields) => _fields = fields;

    /// <returns><see langword="null"/> when nothing is said.</returns>
    public static ResourceMetadata? Of(Metadata? metadata) => metadata is { FilterMetadata.Count: > 0 } ? new ResourceMetadata(metadata.FilterMetadata) : null;

    /// <summary>What stands in a namespace; nobody may change it.</summary>
    public JsonObject? Of(string ns)
    {
        // Whoever comes second at the same time makes the same.
        var read = Volatile.Read(ref _read);
        if (read is null)
        {
            read = _fields.ToDictionary(f => f.Key, f => JsonNode.Parse(JsonFormatter.Default.Format(f.Value))!.AsObject(), StringComparer.Ordinal);
            foreach (var value in read.Values)
            {
                Settle(value);
            }

            Volatile.Write(ref _read, read);
        }

        return read.GetValueOrDefault(ns);
    }

    /// <summary>What stands in a namespace, as it was sent.</summary>
    public Struct? Fields(string ns) => _fields.TryGetValue(ns, out var fields) ? fields : null;

    public bool Equals(ResourceMetadata? other) => other is not null && _fields.Equals(other._fields);

    public override bool Equals(object? obj) => Equals(obj as ResourceMetadata);

    public override int GetHashCode() => _fields.Count;

    // Parsed objects make their children when they are asked for them, which is no reading for two threads at once.
    private static void Settle(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject o:
                foreach (var (_, child) in o)
                {
                    Settle(child);
                }

                break;
            case JsonArray array:
                foreach (var child in array)
                {
                    Settle(child);
                }

                break;
        }
    }
}
