using System.Text.RegularExpressions;

namespace Mesh.Xds.Validation;

/// <summary>The published validation rules of one field, or of its items, keys or values (protoc-gen-validate's, which Envoy enforces).</summary>
internal sealed class FieldRules
{
    public bool Required { get; set; }

    /// <summary>The rules of the message below are not enforced here.</summary>
    public bool SkipsMessage { get; set; }

    public bool DefinedOnly { get; set; }

    public bool Unique { get; set; }

    /// <summary>The empty value is allowed whatever the other rules say.</summary>
    public bool IgnoreEmpty { get; set; }

    public bool? Const { get; set; }

    /// <summary>In characters (code points), for bytes in bytes.</summary>
    public int MinLength { get; set; }

    public int MaxLength { get; set; } = int.MaxValue;

    public int MaxBytes { get; set; } = int.MaxValue;

    /// <summary>Items of a list or pairs of a map.</summary>
    public int MinCount { get; set; }

    public int MaxCount { get; set; } = int.MaxValue;

    /// <summary>Bounds of numbers; of durations in seconds.</summary>
    public decimal? GreaterThan { get; set; }

    public decimal? AtLeast { get; set; }

    public decimal? LessThan { get; set; }

    public decimal? AtMost { get; set; }

    public List<decimal> NotIn { get; } = [];

    public List<string> In { get; } = [];

    public string? Prefix { get; set; }

    public string? Suffix { get; set; }

    public Regex? Pattern { get; set; }

    public FieldRules? Items { get; set; }

    public FieldRules? Keys { get; set; }

    public FieldRules? Values { get; set; }
}
