using System.Text;

namespace Mesh.DataPlane.Formatting;

/// <summary>
/// Envoy's substitution format (<c>text %COMMAND(argument):length% text</c>), compiled once. What stands for nothing is written as <c>-</c>, or not
/// at all where empty values are omitted.
/// </summary>
internal sealed class SubstitutionFormat
{
    private readonly FormatOperator[] _operators;
    private readonly string _absent;

    private SubstitutionFormat(string text, List<FormatOperator> operators, bool omitEmptyValues, IReadOnlyList<string> neverKnown)
    {
        Text = text;
        _operators = [.. operators];
        _absent = omitEmptyValues ? "" : "-";
        NeverKnown = neverKnown;
        Literal = _operators switch
        {
            [] => "",
            [{ Literal: { } literal }] => literal,
            _ => null,
        };
    }

    /// <summary>The format as it was written.</summary>
    public string Text { get; }

    /// <summary>What it always renders to, when it names no command.</summary>
    public string? Literal { get; }

    /// <summary>The commands that Envoy knows and this data plane has no value for, or none for requests of its own.</summary>
    public IReadOnlyList<string> NeverKnown { get; }

    /// <summary>It is one command whose value is a number.</summary>
    public bool IsNumber => _operators is [{ IsNumber: true }];

    /// <summary>Compiles a format.</summary>
    /// <exception cref="SubstitutionFormatException">It names a command that does not exist, or is refused, or uses it wrongly.</exception>
    public static SubstitutionFormat Parse(string format, bool omitEmptyValues)
    {
        var operators = SubstitutionFormatParser.Parse(format, out var neverKnown);
        return new SubstitutionFormat(format, operators, omitEmptyValues, neverKnown);
    }

    public string Render(in FormatContext context)
    {
        if (Literal is not null)
        {
            return Literal;
        }

        if (_operators.Length == 1)
        {
            return _operators[0].Evaluate(context) ?? _absent;
        }

        var text = new StringBuilder();
        foreach (var part in _operators)
        {
            text.Append(part.Evaluate(context) ?? _absent);
        }

        return text.ToString();
    }

    /// <summary>The value of a format that is one command, <see langword="null"/> when it has none; otherwise as <see cref="Render"/>.</summary>
    public string? RenderValue(in FormatContext context) => _operators.Length == 1 ? _operators[0].Evaluate(context) : Render(context);

    public override string ToString() => Text;
}
