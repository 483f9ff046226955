using System.Text.Json;
using Mesh.DataPlane.Expressions;

namespace Mesh.DataPlane.Formatting;

/// <summary>The commands that are made of others: the first of several that has a value, and expressions.</summary>
internal static class CompositeCommands
{
    private const int MaxOperators = 32;

    public static IEnumerable<(string Name, FormatCommand Command)> All =>
    [
        ("COALESCE", new(FormatArgument.Required, LengthAllowed: true, Coalesce) { Reads = argument => Operators(argument).Headers }),
        ("CEL", new(FormatArgument.Required, LengthAllowed: true, Expression) { IsOfEnd = true, Reads = argument => Compile(argument).RequestHeaders }),
        ("TYPED_CEL", new(FormatArgument.Required, LengthAllowed: true, Expression) { IsOfEnd = true, CreateJson = TypedExpression, Reads = argument => Compile(argument).RequestHeaders }),
    ];

    private static FormatValue Expression(string argument)
    {
        var expression = Compile(argument);
        return (in FormatContext c) => expression.TextOf(c);
    }

    private static FormatWrite TypedExpression(string argument)
    {
        var expression = Compile(argument);
        return (in FormatContext c, Utf8Text text) =>
        {
            var value = expression.Evaluate(c);
            switch (value.Kind)
            {
                case CelKind.Bool or CelKind.Int:
                    text.Append(value.AsText());
                    return true;
                case CelKind.Double when double.IsFinite(value.Double):
                    text.Append(value.AsText());
                    return true;
                case CelKind.Null:
                    text.Append("null"u8);
                    return true;
                default:
                    if (value.AsText() is not { } characters)
                    {
                        return false;
                    }

                    text.Append((byte)'"');
                    text.AppendJson(characters);
                    text.Append((byte)'"');
                    return true;
            }
        };
    }

    private static CelExpression Compile(string text)
    {
        try
        {
            return CelExpression.Parse(text);
        }
        catch (CelSyntaxException e)
        {
            throw new FormatException(e.Message, e);
        }
    }

    private static FormatValue Coalesce(string argument)
    {
        var operators = Operators(argument).Operators;
        return (in FormatContext c) =>
        {
            foreach (var part in operators)
            {
                if (part.Evaluate(c) is { Length: > 0 } value)
                {
                    return value;
                }
            }

            return null;
        };
    }

    private static (FormatOperator[] Operators, List<string> Headers) Operators(string argument)
    {
        try
        {
            using var json = JsonDocument.Parse(argument, new JsonDocumentOptions { MaxDepth = 8 });
            if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("operators", out var list)
                || list.ValueKind != JsonValueKind.Array || list.GetArrayLength() is 0 or > MaxOperators)
            {
                throw new FormatException($"the argument is an object of JSON with 1 to {MaxOperators} 'operators'");
            }

            var headers = new List<string>();
            return ([.. list.EnumerateArray().Select(e => Operator(e, headers))], headers);
        }
        catch (JsonException e)
        {
            throw new FormatException($"the argument is no JSON: {e.Message}", e);
        }
    }

    private static FormatOperator Operator(JsonElement element, List<string> headers)
    {
        var name = element.ValueKind == JsonValueKind.String ? element.GetString()! : Property(element, "command")
            ?? throw new FormatException("an operator is the name of a command, or an object with 'command', 'param' and 'max_length'");
        var argument = element.ValueKind == JsonValueKind.String ? null : Property(element, "param");
        int? length = element.ValueKind == JsonValueKind.Object && element.TryGetProperty("max_length", out var max) && max.TryGetInt32(out var number) ? number : null;
        return name == "COALESCE"
            ? throw new FormatException("it cannot stand in itself")
            : SubstitutionFormatParser.Make(name, argument, length, [], headers);
    }

    private static string? Property(JsonElement element, string name)
        => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
