using System.Net;
using System.Text;

namespace Mesh.DataPlane.Formatting;

/// <summary>The value of a command for one request; <see langword="null"/> when there is none.</summary>
internal delegate string? FormatValue(in FormatContext context);

/// <summary>One command of a format, or a stretch of literal text.</summary>
/// <param name="Value">Tells the value.</param>
/// <param name="MaxLength">The number of characters beyond which the value is cut off.</param>
/// <param name="IsNumber">In JSON the value is written without quotes.</param>
internal sealed record FormatOperator(FormatValue Value, int? MaxLength = null, bool IsNumber = false)
{
    private byte[] _literal = [];
    private byte[] _literalInJson = [];

    /// <summary>The text, where the operator is one.</summary>
    public string? Literal { get; private init; }

    /// <summary>Writes the value in the shortest way; what it writes is printable by itself.</summary>
    public FormatWrite? Write { get; init; }

    /// <summary>Tells the address that the value is; where it is of IP, no text is made of it first.</summary>
    public FormatAddress? Address { get; init; }

    /// <summary>Writes the value as JSON.</summary>
    public FormatWrite? Json { get; init; }

    public static FormatOperator Text(string text)
    {
        var json = new Utf8Text();
        json.AppendJson(text);
        return new FormatOperator((in FormatContext _) => text) { Literal = text, _literal = Encoding.UTF8.GetBytes(text), _literalInJson = json.Written.ToArray() };
    }

    public string? Evaluate(in FormatContext context)
        => Value(context) is { } value ? MaxLength is { } length && value.Length > length ? value[..length] : value : null;

    /// <summary>Writes the value into a line of text.</summary>
    /// <returns><see langword="false"/> when there is none.</returns>
    public bool WriteText(in FormatContext context, Utf8Text text) => WriteTo(context, text, isInJson: false);

    /// <summary>Writes the value into a text of JSON.</summary>
    /// <returns><see langword="false"/> when there is none.</returns>
    public bool WriteInJsonText(in FormatContext context, Utf8Text text) => WriteTo(context, text, isInJson: true);

    private bool WriteTo(in FormatContext context, Utf8Text text, bool isInJson)
    {
        if (Literal is not null)
        {
            text.Append(isInJson ? _literalInJson : _literal);
            return true;
        }

        if (Write is not null)
        {
            return Write(context, text);
        }

        if (Address?.Invoke(context) is IPEndPoint address)
        {
            text.Append(address);
            return true;
        }

        if (Value(context) is not { } value)
        {
            return false;
        }

        if (isInJson)
        {
            text.AppendJson(Shortened(value));
        }
        else
        {
            text.AppendPrintable(Shortened(value));
        }

        return true;
    }

    private ReadOnlySpan<char> Shortened(string value) => MaxLength is { } length && value.Length > length ? value.AsSpan(0, length) : value;
}
