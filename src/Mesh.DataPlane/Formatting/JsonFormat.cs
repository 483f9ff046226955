using Google.Protobuf.WellKnownTypes;

namespace Mesh.DataPlane.Formatting;

/// <summary>
/// Envoy's <c>json_format</c>, compiled: an object whose texts are formats, with objects and lists in it. Properties are written in the order of
/// their names; a text that is one command keeps the type of its value.
/// </summary>
internal sealed class JsonFormat
{
    private const int MaxDepth = 32;

    private readonly Part _root;
    private readonly bool _typed;
    private readonly bool _omitsEmpty;

    private JsonFormat(Part root, bool typed, bool omitsEmpty, List<SubstitutionFormat> formats)
    {
        (_root, _typed, _omitsEmpty) = (root, typed, omitsEmpty);
        NotAlwaysKnown = [.. formats.SelectMany(f => f.NotAlwaysKnown)];
        RequestHeaders = [.. formats.SelectMany(f => f.RequestHeaders)];
    }

    /// <summary>The commands that do not have a value everywhere.</summary>
    public IReadOnlyList<string> NotAlwaysKnown { get; }

    /// <summary>The headers of the request that it reads.</summary>
    public IReadOnlyList<string> RequestHeaders { get; }

    /// <summary>Compiles a format.</summary>
    /// <param name="format">The object.</param>
    /// <param name="omitEmptyValues">Properties without a value are left out; otherwise they are <c>null</c>.</param>
    /// <param name="typed">Values keep their types; otherwise all of them are texts, and <c>-</c> stands for none.</param>
    /// <exception cref="SubstitutionFormatException">One of its texts cannot be compiled.</exception>
    public static JsonFormat Parse(Struct format, bool omitEmptyValues, bool typed = true)
    {
        var formats = new List<SubstitutionFormat>();
        return new JsonFormat(Compile(Value.ForStruct(format), omitEmptyValues, formats, 0), typed, omitEmptyValues, formats);
    }

    /// <summary>Writes the object on one line, without the line's end.</summary>
    public void Write(in FormatContext context, Utf8Text text) => TryWrite(_root, context, text);

    private static Part Compile(Value value, bool omitEmptyValues, List<SubstitutionFormat> formats, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new SubstitutionFormatException("json_format", 0, $"nested more than {MaxDepth} deep");
        }

        switch (value.KindCase)
        {
            case Value.KindOneofCase.StructValue:
                return new Part.Object([.. value.StructValue.Fields.OrderBy(f => f.Key, StringComparer.Ordinal)
                    .Select(f => (Name(f.Key), Compile(f.Value, omitEmptyValues, formats, depth + 1)))]);
            case Value.KindOneofCase.ListValue:
                return new Part.List([.. value.ListValue.Values.Select(v => Compile(v, omitEmptyValues, formats, depth + 1))]);
            case Value.KindOneofCase.StringValue:
                var format = SubstitutionFormat.Parse(value.StringValue, omitEmptyValues);
                formats.Add(format);
                return new Part.Text(format);
            case Value.KindOneofCase.BoolValue:
                return new Part.Constant(value.BoolValue ? "true" : "false");
            case Value.KindOneofCase.NumberValue:
                return new Part.Constant(double.IsFinite(value.NumberValue) ? value.NumberValue.ToString("R", System.Globalization.CultureInfo.InvariantCulture) : "null");
            default:
                return new Part.Constant("null");
        }
    }

    private static byte[] Name(string name)
    {
        var text = new Utf8Text();
        text.Append((byte)'"');
        text.AppendJson(name);
        text.Append("\":"u8);
        return text.Written.ToArray();
    }

    // False where the property has no value and is to be left out.
    private bool TryWrite(Part part, in FormatContext context, Utf8Text text)
    {
        switch (part)
        {
            case Part.Object o:
                text.Append((byte)'{');
                var isFirst = true;
                foreach (var (name, value) in o.Properties)
                {
                    var start = text.Length;
                    if (!isFirst)
                    {
                        text.Append((byte)',');
                    }

                    text.Append(name);
                    if (TryWrite(value, context, text))
                    {
                        isFirst = false;
                    }
                    else
                    {
                        text.Cut(start);
                    }
                }

                text.Append((byte)'}');
                return true;
            case Part.List list:
                text.Append((byte)'[');
                for (var i = 0; i < list.Values.Length; i++)
                {
                    if (i > 0)
                    {
                        text.Append((byte)',');
                    }

                    if (!TryWrite(list.Values[i], context, text))
                    {
                        text.Append("null"u8);
                    }
                }

                text.Append((byte)']');
                return true;
            case Part.Constant constant:
                text.Append(constant.Json);
                return true;
            default:
                return TryWrite(((Part.Text)part).Format, context, text);
        }
    }

    private bool TryWrite(SubstitutionFormat format, in FormatContext context, Utf8Text text)
    {
        if (_typed && format.OnlyCommand is { } command)
        {
            var start = text.Length;
            if (command.Json is { } json)
            {
                if (json(context, text))
                {
                    return true;
                }
            }
            else
            {
                if (!command.IsNumber)
                {
                    text.Append((byte)'"');
                }

                if (command.WriteInJsonText(context, text))
                {
                    if (!command.IsNumber)
                    {
                        text.Append((byte)'"');
                    }

                    return true;
                }
            }

            text.Cut(start);
            if (_omitsEmpty)
            {
                return false;
            }

            text.Append("null"u8);
            return true;
        }

        text.Append((byte)'"');
        format.WriteInJsonText(context, text);
        text.Append((byte)'"');
        return true;
    }

    private abstract class Part
    {
        internal sealed class Object((byte[] Name, Part Value)[] properties) : Part
        {
            public (byte[] Name, Part Value)[] Properties => properties;
        }

        internal sealed class List(Part[] values) : Part
        {
            public Part[] Values => values;
        }

        internal sealed class Text(SubstitutionFormat format) : Part
        {
            public SubstitutionFormat Format => format;
        }

        internal sealed class Constant(string json) : Part
        {
            public string Json => json;
        }
    }
}
