namespace Mesh.DataPlane.Formatting;

/// <summary>The value of a command for one request; <see langword="null"/> when there is none.</summary>
internal delegate string? FormatValue(in FormatContext context);

/// <summary>One command of a format, or a stretch of literal text.</summary>
/// <param name="Value">Tells the value.</param>
/// <param name="MaxLength">The number of characters beyond which the value is cut off.</param>
/// <param name="IsNumber">In JSON the value is written without quotes.</param>
internal sealed record FormatOperator(FormatValue Value, int? MaxLength = null, bool IsNumber = false)
{
    /// <summary>The text, where the operator is one.</summary>
    public string? Literal { get; private init; }

    public static FormatOperator Text(string text) => new((in FormatContext _) => text) { Literal = text };

    public string? Evaluate(in FormatContext context)
        => Value(context) is { } value ? MaxLength is { } length && value.Length > length ? value[..length] : value : null;
}
