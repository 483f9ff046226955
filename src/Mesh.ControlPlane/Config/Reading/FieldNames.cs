using System.Collections.Concurrent;
using System.Collections.Frozen;
using Google.Protobuf.Reflection;

namespace Mesh.ControlPlane.Config.Reading;

/// <summary>The fields of a message by JSON name and by proto name, as protobuf's JSON mapping accepts them.</summary>
internal static class FieldNames
{
    private static readonly ConcurrentDictionary<MessageDescriptor, FrozenDictionary<string, FieldDescriptor>> Cache = new();

    public static FrozenDictionary<string, FieldDescriptor> Of(MessageDescriptor message) => Cache.GetOrAdd(message, static m =>
    {
        var names = new Dictionary<string, FieldDescriptor>(StringComparer.Ordinal);
        foreach (var field in m.Fields.InDeclarationOrder())
        {
            names[field.JsonName] = field;
            names.TryAdd(field.Name, field);
        }

        return names.ToFrozenDictionary(StringComparer.Ordinal);
    });

    public static IEnumerable<string> Json(MessageDescriptor message) => message.Fields.InDeclarationOrder().Select(f => f.JsonName);
}
