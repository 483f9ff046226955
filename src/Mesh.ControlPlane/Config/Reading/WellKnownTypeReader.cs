using System.Globalization;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Mesh.ControlPlane.Config.Yaml;
using Mesh.K8s.V1;

namespace Mesh.ControlPlane.Config.Reading;

/// <summary>The messages that are written otherwise than field by field.</summary>
internal sealed class WellKnownTypeReader(ReadContext context, ScalarReader scalars)
{
    private const string Wrappers = "google/protobuf/wrappers.proto";

    /// <summary>Reads <paramref name="node"/> if <paramref name="type"/> has a form of its own; wrappers are given as their bare value.</summary>
    public bool TryRead(MessageDescriptor type, YamlNode node, YamlPath path, out object? value)
    {
        value = type.FullName switch
        {
            "google.protobuf.Duration" => ReadDuration(node, path),
            "google.protobuf.Timestamp" => ReadTimestamp(node, path),
            "google.protobuf.Struct" => ReadStruct(node, path),
            "google.protobuf.ListValue" => ReadList(node, path),
            "google.protobuf.Value" => ReadValue(node, path),
            "mesh.k8s.v1.IntOrString" => ReadIntOrString(node, path),
            _ when type.File.Name == Wrappers => scalars.Read(type.FindFieldByNumber(1), node, path),
            _ => context,
        };
        if (!ReferenceEquals(value, context))
        {
            return true;
        }

        value = null;
        return false;
    }

    public static bool TakesNull(FieldDescriptor field) => field.FieldType == FieldType.Message && field.MessageType.FullName == "google.protobuf.Value";

    private Duration? ReadDuration(YamlNode node, YamlPath path)
    {
        if (node is YamlScalar { Type: YamlScalarType.String } scalar && GoDuration.TryParse(scalar.Value, out var nanoseconds))
        {
            return new Duration { Seconds = nanoseconds / 1_000_000_000, Nanos = (int)(nanoseconds % 1_000_000_000) };
        }

        var hint = node is YamlScalar { Type: YamlScalarType.Integer or YamlScalarType.Float } number ? $": give it a unit, {number.Value}s" : ": write 100ms, 3s, 1m30s or 1h";
        context.Error(node, path, $"must be a duration, not {node.Describe()}{hint}.");
        return null;
    }

    private Timestamp? ReadTimestamp(YamlNode node, YamlPath path)
    {
        if (node is YamlScalar { Type: YamlScalarType.String } scalar
            && scalar.Value.Length >= 20
            && scalar.Value[10] is 'T' or 't'
            && DateTimeOffset.TryParse(scalar.Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            return Timestamp.FromDateTimeOffset(time);
        }

        context.Error(node, path, $"must be a time in RFC 3339, such as 2024-05-01T12:00:00Z, not {node.Describe()}.");
        return null;
    }

    private IntOrString? ReadIntOrString(YamlNode node, YamlPath path)
    {
        switch (node)
        {
            case YamlScalar { Type: YamlScalarType.String } text:
                return new IntOrString { StrVal = text.Value };
            case YamlScalar { Type: YamlScalarType.Integer or YamlScalarType.Float }:
                return scalars.ReadInteger(node, path, int.MinValue, int.MaxValue, quotedNumbers: false) is { } number ? new IntOrString { IntVal = (int)number } : null;
            default:
                context.Error(node, path, $"must be a number or a name, not {node.Describe()}.");
                return null;
        }
    }

    private Struct? ReadStruct(YamlNode node, YamlPath path)
    {
        if (node is not YamlMapping mapping)
        {
            context.Error(node, path, $"must be a mapping, not {node.Describe()}.");
            return null;
        }

        var result = new Struct();
        foreach (var (key, value) in mapping.Entries)
        {
            if (ReadValue(value, path.Key(key.Value)) is { } read)
            {
                result.Fields[key.Value] = read;
            }
        }

        return result;
    }

    private ListValue? ReadList(YamlNode node, YamlPath path)
    {
        if (node is not YamlSequence sequence)
        {
            context.Error(node, path, $"must be a list, not {node.Describe()}.");
            return null;
        }

        var result = new ListValue();
        for (var i = 0; i < sequence.Items.Count; i++)
        {
            if (ReadValue(sequence.Items[i], path.Item(i)) is { } read)
            {
                result.Values.Add(read);
            }
        }

        return result;
    }

    private Value? ReadValue(YamlNode node, YamlPath path)
    {
        switch (node)
        {
            case YamlMapping:
                return ReadStruct(node, path) is { } s ? new Value { StructValue = s } : null;
            case YamlSequence:
                return ReadList(node, path) is { } l ? new Value { ListValue = l } : null;
        }

        var scalar = (YamlScalar)node;
        switch (scalar.Type)
        {
            case YamlScalarType.Null:
                return Value.ForNull();
            case YamlScalarType.Boolean:
                _ = YamlScalarResolver.TryBoolean(scalar.Value, out var flag);
                return Value.ForBool(flag);
            case YamlScalarType.Integer:
                _ = YamlScalarResolver.TryInteger(scalar.Value, out var whole);
                return Value.ForNumber((double)whole);
            case YamlScalarType.Float when YamlScalarResolver.TryFloat(scalar.Value, out var number) && double.IsFinite(number):
                return Value.ForNumber(number);
            case YamlScalarType.Float:
                context.Error(node, path, $"{scalar.Value} has no form in JSON.");
                return null;
            default:
                return Value.ForString(scalar.Value);
        }
    }
}
