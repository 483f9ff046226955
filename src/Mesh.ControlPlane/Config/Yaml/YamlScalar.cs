using System.Globalization;

namespace Mesh.ControlPlane.Config.Yaml;

internal sealed class YamlScalar(string value, YamlScalarType type, bool plain, int line, int column) : YamlNode(line, column)
{
    /// <summary>The text, without quotes.</summary>
    public string Value { get; } = value;

    public YamlScalarType Type { get; } = type;

    /// <summary>Written without quotes and without a tag.</summary>
    public bool Plain { get; } = plain;

    public bool IsNull => Type == YamlScalarType.Null;

    /// <summary>A YAML 1.1 merge key.</summary>
    public bool IsMerge => Plain && Value == "<<";

    public override string Describe()
        => Type switch
        {
            YamlScalarType.Null => "nothing",
            YamlScalarType.Boolean => $"the boolean {Shorten(Value)}",
            YamlScalarType.Integer or YamlScalarType.Float => $"the number {Shorten(Value)}",
            _ => string.Create(CultureInfo.InvariantCulture, $"the string \"{Shorten(Value)}\""),
        };

    private static string Shorten(string text) => text.Length <= 40 ? text : string.Concat(text.AsSpan(0, 37), "...");
}
