namespace Mesh.DataPlane.Formatting;

/// <summary>Whether a command takes an argument in parentheses.</summary>
internal enum FormatArgument
{
    None,
    Optional,
    Required,
}

/// <summary>One command that a format may name.</summary>
/// <param name="Argument">Whether it takes an argument.</param>
/// <param name="LengthAllowed">Whether it may be cut off by <c>:length</c>.</param>
/// <param name="Create">Makes the value from the argument; throws <see cref="FormatException"/> when the argument is none.</param>
/// <param name="IsNumber">In JSON the value is written without quotes.</param>
internal sealed record FormatCommand(FormatArgument Argument, bool LengthAllowed, Func<string, FormatValue> Create, bool IsNumber = false)
{
    /// <summary>The command is Envoy's, and this data plane never has a value for it.</summary>
    public bool IsNeverKnown { get; init; }

    /// <summary>It has a value for requests that come in, and never for those that this process makes.</summary>
    public bool IsOfConnection { get; init; }
}
