using System.Collections;
using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Mesh.DataPlane.Tests.Decoding.Fields;

/// <summary>A value for each field that is valid and not the default: by rule where one fits, else as it is written in <see cref="FieldSampleTable"/>.</summary>
internal static class FieldSamples
{
    // Values rather than parts of a resource: read by one reader each, which has tests of its own.
    private static readonly HashSet<string> _leaves =
    [
        "envoy.config.common.matcher.v3.MatchPredicate", "envoy.config.core.v3.Address", "envoy.config.core.v3.ConfigSource", "envoy.config.core.v3.DataSource", "envoy.config.core.v3.GrpcService",
        "envoy.config.core.v3.HttpUri", "envoy.config.core.v3.Metadata", "envoy.config.core.v3.TypedExtensionConfig", "envoy.config.core.v3.SubstitutionFormatString",
        "envoy.config.core.v3.TransportSocket", "envoy.config.core.v3.HealthStatusSet", "envoy.config.core.v3.RuntimeDouble", "envoy.config.core.v3.RuntimeFractionalPercent",
        "envoy.config.core.v3.RuntimeFeatureFlag", "envoy.config.core.v3.RuntimeUInt32",
    ];

    private static readonly string[] _leafPackages = ["google.", "xds.", "udpa.", "envoy.type.", "envoy.config.accesslog.", "envoy.config.trace."];

    public static bool IsWalked(MessageDescriptor message)
        => !_leaves.Contains(message.FullName) && !_leafPackages.Any(p => message.FullName.StartsWith(p, StringComparison.Ordinal)) && message.Fields.InDeclarationOrder().Count > 0;

    /// <summary>Puts into the message what some field needs to have an effect.</summary>
    public static void Prepare(IMessage root, FieldDescriptor[] path)
    {
        foreach (var name in path.SelectMany(f => new[] { f.ContainingType.FullName, f.FullName }))
        {
            if (FieldSampleTable.Needs.TryGetValue(name, out var json))
            {
                var needed = FieldSampleTable.Json.Parse(json, root.Descriptor);
                foreach (var list in root.Descriptor.Fields.InDeclarationOrder().Where(f => f is { IsRepeated: true, IsMap: false } && ((IList)f.Accessor.GetValue(needed)).Count > 0))
                {
                    list.Accessor.Clear(root);
                }

                root.MergeFrom(needed.ToByteArray());
            }
        }
    }

    public static void Set(IMessage message, FieldDescriptor field)
    {
        if (FieldSampleTable.Instead.TryGetValue(field.FullName, out var sibling))
        {
            field.ContainingType.FindFieldByName(sibling).Accessor.Clear(message);
        }

        if (field.IsMap)
        {
            ((IDictionary)field.Accessor.GetValue(message)).Add("x", Value(field, field.MessageType.FindFieldByNumber(2)));
        }
        else if (field.IsRepeated)
        {
            ((IList)field.Accessor.GetValue(message)).Insert(0, Value(field, field));
        }
        else
        {
            field.Accessor.SetValue(message, Value(field, field));
        }
    }

    public static object Value(FieldDescriptor field) => Value(field, field);

    private static object Value(FieldDescriptor named, FieldDescriptor field)
    {
        var text = FieldSampleTable.Values.GetValueOrDefault(named.FullName)
            ?? (field.FieldType == FieldType.Message ? FieldSampleTable.Values.GetValueOrDefault(field.MessageType.FullName) : null);
        return field.FieldType switch
        {
            FieldType.Bool => text is null || bool.Parse(text),
            FieldType.String => text ?? "x",
            FieldType.Bytes => ByteString.CopyFromUtf8(text ?? "x"),
            FieldType.UInt32 => uint.Parse(text ?? "7", CultureInfo.InvariantCulture),
            FieldType.UInt64 => ulong.Parse(text ?? "7", CultureInfo.InvariantCulture),
            FieldType.Int32 => int.Parse(text ?? "7", CultureInfo.InvariantCulture),
            FieldType.Int64 => long.Parse(text ?? "7", CultureInfo.InvariantCulture),
            FieldType.Double => double.Parse(text ?? "0.7", CultureInfo.InvariantCulture),
            FieldType.Float => float.Parse(text ?? "0.7", CultureInfo.InvariantCulture),
            FieldType.Enum => Enum.ToObject(field.EnumType.ClrType, text is null ? field.EnumType.Values[1].Number : field.EnumType.FindValueByName(text).Number),
            FieldType.Message => OfMessage(field.MessageType, text),
            _ => throw new NotSupportedException($"{field.FullName} is a {field.FieldType}"),
        };
    }

    private static object OfMessage(MessageDescriptor message, string? text)
        => message.FullName switch
        {
            "google.protobuf.UInt32Value" => uint.Parse(text ?? "7", CultureInfo.InvariantCulture),
            "google.protobuf.UInt64Value" => ulong.Parse(text ?? "7", CultureInfo.InvariantCulture),
            "google.protobuf.Int32Value" => int.Parse(text ?? "7", CultureInfo.InvariantCulture),
            "google.protobuf.BoolValue" => text is null || bool.Parse(text),
            "google.protobuf.StringValue" => text ?? "x",
            "google.protobuf.DoubleValue" => double.Parse(text ?? "0.7", CultureInfo.InvariantCulture),
            "google.protobuf.FloatValue" => float.Parse(text ?? "0.7", CultureInfo.InvariantCulture),
            _ => FieldSampleTable.Json.Parse(text ?? (message.FullName == "google.protobuf.Duration" ? "\"7s\"" : "{}"), message),
        };
}
