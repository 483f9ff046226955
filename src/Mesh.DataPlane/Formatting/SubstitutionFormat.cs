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

    private SubstitutionFormat(string text, List<FormatOperator> operators, bool omitEmptyValues, IReadOnlyList<string> notAlwaysKnown, IReadOnlyList<string> requestHeaders)
    {
        Text = text;
        _operators = [.. operators];
        _absent = omitEmptyValues ? "" : "-";
        NotAlwaysKnown = notAlwaysKnown;
        RequestHeaders = requestHeaders;
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

    /// <summary>The commands that do not have a value everywhere: only when the request is over, only for what comes in, or only for connections.</summary>
    public IReadOnlyList<string> NotAlwaysKnown { get; }

    /// <summary>The headers of the request that it reads.</summary>
    public IReadOnlyList<string> RequestHeaders { get; }

    /// <summary>It is one command whose value is a number.</summary>
    public bool IsNumber => _operators is [{ IsNumber: true }];

    /// <summary>It is one command and nothing else.</summary>
    public FormatOperator? OnlyCommand => _operators is [{ Literal: null } only] ? only : null;

    /// <summary>Compiles a format.</summary>
    /// <exception cref="SubstitutionFormatException">It names a command that does not exist, or is refused, or uses it wrongly.</exception>
    public static SubstitutionFormat Parse(string format, bool omitEmptyValues)
    {
        var operators = SubstitutionFormatParser.Parse(format, out var notAlwaysKnown, out var requestHeaders);
        return new SubstitutionFormat(format, operators, omitEmptyValues, notAlwaysKnown, requestHeaders);
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

    /// <summary>Writes it as a line of text: no value can end the line.</summary>
    public void Write(in FormatContext context, Utf8Text text)
    {
        foreach (var part in _operators)
        {
            if (!part.WriteText(context, text))
            {
                text.Append(_absent);
            }
        }
    }

    /// <summary>Writes it as the inside of a text of JSON.</summary>
    public void WriteInJsonText(in FormatContext context, Utf8Text text)
    {
        foreach (var part in _operators)
        {
            if (!part.WriteInJsonText(context, text))
            {
                text.Append(_absent);
            }
        }
    }

    /// <summary>The value of a format that is one command, <see langword="null"/> when it has none; otherwise as <see cref="Render"/>.</summary>
    public string? RenderValue(in FormatContext context) => _operators.Length == 1 ? _operators[0].Evaluate(context) : Render(context);

    public override string ToString() => Text;
}
