using Mesh.DataPlane.Matching.Re2;

namespace Mesh.DataPlane.Expressions;

/// <summary>The functions that an expression may call, and what they are called with.</summary>
internal static class CelCalls
{
    private static readonly Dictionary<string, Func<CelValue, CelValue, CelValue>> _onTexts = new(StringComparer.Ordinal)
    {
        ["startsWith"] = CelFunctions.StartsWith,
        ["endsWith"] = CelFunctions.EndsWith,
        ["contains"] = CelFunctions.Contains,
    };

    private static readonly Dictionary<string, Func<CelValue, CelValue>> _conversions = new(StringComparer.Ordinal)
    {
        ["string"] = CelFunctions.Text,
        ["int"] = CelFunctions.Int,
        ["uint"] = CelFunctions.Int,
        ["double"] = CelFunctions.Double,
        ["duration"] = CelFunctions.Duration,
        ["timestamp"] = CelFunctions.Timestamp,
    };

    public static string Functions { get; } = "has, size, matches, " + string.Join(", ", _conversions.Keys);

    public static string Methods { get; } = "matches, size, " + string.Join(", ", _onTexts.Keys);

    public static bool IsFunction(string name) => name is "has" or "size" or "matches" || _conversions.ContainsKey(name);

    public static bool IsMethod(string name) => name is "matches" or "size" || _onTexts.ContainsKey(name);

    /// <summary><c>name(arguments)</c>.</summary>
    public static CelNode Function(string text, CelToken name, List<CelNode> arguments)
    {
        switch (name.Text)
        {
            case "has" when arguments is [CelNode.Index or CelNode.Attribute]:
                return new CelNode.Presence(arguments[0]);
            case "has":
                throw new CelSyntaxException(text, name.Position, "has() asks for one member of something");
            case "size" when arguments.Count == 1:
                return new CelNode.Size(arguments[0]);
            case "matches" when arguments.Count == 2:
                return Matches(text, name, arguments[0], arguments[1]);
        }

        if (!_conversions.TryGetValue(name.Text, out var function) || arguments.Count != 1)
        {
            throw Count(text, name, arguments);
        }

        if (arguments[0] is not CelNode.Constant constant)
        {
            return new CelNode.Call(arguments[0], function);
        }

        var value = function(constant.Value);
        return value.IsError ? throw new CelSyntaxException(text, name.Position, $"this is no {name.Text}") : new CelNode.Constant(value);
    }

    /// <summary><c>of.name(arguments)</c>.</summary>
    public static CelNode Method(string text, CelNode of, CelToken name, List<CelNode> arguments)
        => name.Text switch
        {
            "matches" when arguments.Count == 1 => Matches(text, name, of, arguments[0]),
            "size" when arguments.Count == 0 => new CelNode.Size(of),
            _ when arguments.Count == 1 && _onTexts.TryGetValue(name.Text, out var function) => new CelNode.Call2(of, arguments[0], function),
            _ => throw Count(text, name, arguments),
        };

    // Compiled while configuration is read, so that no request can be the first to meet a limit.
    private static CelNode.Call Matches(string text, CelToken at, CelNode of, CelNode pattern)
    {
        if (pattern is not CelNode.Constant { Value: { Kind: CelKind.String } constant })
        {
            throw new CelSyntaxException(text, at.Position, "matches() takes a pattern that is written out");
        }

        try
        {
            var compiled = Re2Pattern.Parse(constant.String);
            compiled.IsPartialMatch("");
            return new CelNode.Call(of, CelFunctions.Matches(compiled));
        }
        catch (Re2SyntaxException e)
        {
            throw new CelSyntaxException(text, at.Position, e.Message);
        }
    }

    private static CelSyntaxException Count(string text, CelToken name, List<CelNode> arguments)
        => new(text, name.Position, $"{name.Text}() does not take {arguments.Count} values");
}
