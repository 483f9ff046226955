using Mesh.Xds.Settings;
using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Mesh.ControlPlane.Config.Yaml;

namespace Mesh.ControlPlane.Config.Reading;

/// <summary>Scalars of protobuf from scalars of YAML, as strict as Istio and Kubernetes are after YAML has become JSON.</summary>
internal sealed class ScalarReader(ReadContext context)
{
    public object? Read(FieldDescriptor field, YamlNode node, YamlPath path)
    {
        if (field.FieldType == FieldType.Enum)
        {
            return ReadEnum(field.EnumType, node, path);
        }

        // The Kubernetes API takes "80" for no number; protobuf's JSON mapping does.
        var quotedNumbers = !field.File.Package.StartsWith("mesh.k8s", StringComparison.Ordinal);
        return field.FieldType switch
        {
            FieldType.String => ReadString(node, path),
            FieldType.Bool => ReadBoolean(node, path),
            FieldType.Bytes => ReadBytes(node, path),
            FieldType.Double => ReadDouble(node, path, quotedNumbers),
            FieldType.Float => ReadDouble(node, path, quotedNumbers) is { } d ? (float)d : null,
            FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => (int?)ReadInteger(node, path, int.MinValue, int.MaxValue, quotedNumbers),
            FieldType.UInt32 or FieldType.Fixed32 => (uint?)ReadInteger(node, path, 0, uint.MaxValue, quotedNumbers),
            FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => (long?)ReadInteger(node, path, long.MinValue, long.MaxValue, quotedNumbers),
            FieldType.UInt64 or FieldType.Fixed64 => (ulong?)ReadInteger(node, path, 0, ulong.MaxValue, quotedNumbers),
            _ => throw new NotSupportedException($"{field.FullName} is of the type {field.FieldType}, which proto3 does not have."),
        };
    }

    public string? ReadString(YamlNode node, YamlPath path)
    {
        if (node is YamlScalar { Type: YamlScalarType.String } scalar)
        {
            return scalar.Value;
        }

        var hint = node is YamlScalar { IsNull: false } plain ? $": quote it, \"{plain.Value}\"" : "";
        context.Error(node, path, $"must be a string, not {node.Describe()}{hint}.");
        return null;
    }

    public bool? ReadBoolean(YamlNode node, YamlPath path)
    {
        if (node is YamlScalar { Type: YamlScalarType.Boolean } scalar)
        {
            _ = YamlScalarResolver.TryBoolean(scalar.Value, out var value);
            return value;
        }

        var hint = node is YamlScalar { Type: YamlScalarType.String } text && YamlScalarResolver.TryBoolean(text.Value, out _) ? ": write it without quotes" : "";
        context.Error(node, path, $"must be true or false, not {node.Describe()}{hint}.");
        return null;
    }

    public Int128? ReadInteger(YamlNode node, YamlPath path, Int128 min, Int128 max, bool quotedNumbers)
    {
        if (node is not YamlScalar scalar || !TryWhole(scalar, quotedNumbers, out var value))
        {
            var hint = node is YamlScalar { Type: YamlScalarType.String } text && YamlScalarResolver.TryInteger(text.Value, out _) ? ": write it without quotes" : "";
            context.Error(node, path, $"must be a whole number, not {node.Describe()}{hint}.");
            return null;
        }

        if (value < min || value > max)
        {
            context.Error(node, path, string.Create(CultureInfo.InvariantCulture, $"must be from {min} to {max}, not {value}."));
            return null;
        }

        return value;
    }

    private static bool TryWhole(YamlScalar scalar, bool quotedNumbers, out Int128 value)
    {
        value = 0;
        switch (scalar.Type)
        {
            case YamlScalarType.Integer:
                return YamlScalarResolver.TryInteger(scalar.Value, out value);
            case YamlScalarType.String when quotedNumbers && scalar.Value.Length <= 30:
                return Int128.TryParse(scalar.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
            // 80.0 and 1e3 are 80 and 1000 by the time they are JSON.
            case YamlScalarType.Float when YamlScalarResolver.TryFloat(scalar.Value, out var number) && number == Math.Floor(number) && Math.Abs(number) < 1e18:
                value = (Int128)number;
                return true;
            default:
                return false;
        }
    }

    private double? ReadDouble(YamlNode node, YamlPath path, bool quotedNumbers)
    {
        if (node is YamlScalar scalar)
        {
            double value;
            switch (scalar.Type)
            {
                case YamlScalarType.Integer:
                    _ = YamlScalarResolver.TryInteger(scalar.Value, out var whole);
                    return (double)whole;
                case YamlScalarType.Float when YamlScalarResolver.TryFloat(scalar.Value, out value) && double.IsFinite(value):
                    return value;
                case YamlScalarType.String when quotedNumbers && scalar.Value is "NaN" or "Infinity" or "-Infinity":
                    return scalar.Value[0] == 'N' ? double.NaN : scalar.Value[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
                case YamlScalarType.String when quotedNumbers
                    && double.TryParse(scalar.Value, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out value)
                    && double.IsFinite(value):
                    return value;
            }
        }

        context.Error(node, path, $"must be a number, not {node.Describe()}.");
        return null;
    }

    private ByteString? ReadBytes(YamlNode node, YamlPath path)
    {
        if (node is YamlScalar { Type: YamlScalarType.String } scalar)
        {
            var text = scalar.Value.Replace('-', '+').Replace('_', '/').TrimEnd('=');
            try
            {
                return ByteString.FromBase64(text.PadRight((text.Length + 3) / 4 * 4, '='));
            }
            catch (FormatException)
            {
                context.Error(node, path, "must be bytes in base64.");
                return null;
            }
        }

        context.Error(node, path, $"must be bytes in base64, not {node.Describe()}.");
        return null;
    }

    private object? ReadEnum(EnumDescriptor type, YamlNode node, YamlPath path)
    {
        EnumValueDescriptor? value = null;
        if (node is YamlScalar { Type: YamlScalarType.String } name)
        {
            value = type.FindValueByName(name.Value);
        }
        else if (node is YamlScalar { Type: YamlScalarType.Integer } number && YamlScalarResolver.TryInteger(number.Value, out var n) && n >= int.MinValue && n <= int.MaxValue)
        {
            value = type.FindValueByNumber((int)n);
        }

        if (value is null)
        {
            var names = type.Values.Select(v => v.Name).ToArray();
            var hint = node is YamlScalar { Type: YamlScalarType.String } text ? Suggestion.For(text.Value, names) : "";
            context.Error(node, path, $"must be one of {string.Join(", ", names)}, not {node.Describe()}.{hint}");
            return null;
        }

        return Enum.ToObject(type.ClrType, value.Number);
    }
}
