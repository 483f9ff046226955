namespace Mesh.Xds.Validation;

/// <summary>The published validation rules of one message.</summary>
internal sealed class MessageRules
{
    public Dictionary<string, FieldRules> Fields { get; } = new(StringComparer.Ordinal);

    public List<string> RequiredOneofs { get; } = [];
}
