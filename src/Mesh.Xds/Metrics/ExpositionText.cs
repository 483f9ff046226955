using System.Buffers;
using System.Globalization;
using System.Text;

namespace Mesh.Xds.Metrics;

/// <summary>What both of Prometheus' formats are made of: names, escaped texts, numbers.</summary>
internal sealed class ExpositionText(IBufferWriter<byte> output)
{
    private const int MaxNumber = 32;

    private static readonly SearchValues<char> EscapedInValue = SearchValues.Create("\\\"\n");
    private static readonly SearchValues<char> EscapedInHelp = SearchValues.Create("\\\n");

    /// <summary>Text that needs no escaping.</summary>
    public void Raw(ReadOnlySpan<byte> utf8) => output.Write(utf8);

    public void Raw(string text) => Utf8(text);

    /// <summary>Text within quotes: backslash, quote and line feed are escaped, so that no value can end its line or label.</summary>
    public void Quoted(ReadOnlySpan<char> text)
    {
        Raw("\""u8);
        Escaped(text, EscapedInValue);
        Raw("\""u8);
    }

    public void Help(string text, bool escapeQuotes) => Escaped(text, escapeQuotes ? EscapedInValue : EscapedInHelp);

    /// <summary><c>{a="x",b="y"}</c>, with one more label where it is given; nothing where there is none.</summary>
    public void Labels(string[] names, ReadOnlySpan<string> values, string? extraName = null, string? extraValue = null)
    {
        if (names.Length == 0 && extraName is null)
        {
            return;
        }

        Raw("{"u8);
        for (var i = 0; i < names.Length; i++)
        {
            Raw(names[i]);
            Raw("="u8);
            Quoted(i < values.Length ? values[i] : "");
            if (i < names.Length - 1 || extraName is not null)
            {
                Raw(","u8);
            }
        }

        if (extraName is not null)
        {
            Raw(extraName);
            Raw("="u8);
            Quoted(extraValue);
        }

        Raw("}"u8);
    }

    public void Number(double value)
    {
        if (!double.IsFinite(value))
        {
            Raw(double.IsNaN(value) ? "NaN"u8 : value > 0 ? "+Inf"u8 : "-Inf"u8);
            return;
        }

        var span = output.GetSpan(MaxNumber);
        value.TryFormat(span, out var written, value == Math.Truncate(value) && Math.Abs(value) < 1e15 ? "F0" : "R", CultureInfo.InvariantCulture);
        output.Advance(written);
    }

    public void Number(long value)
    {
        var span = output.GetSpan(MaxNumber);
        value.TryFormat(span, out var written, default, CultureInfo.InvariantCulture);
        output.Advance(written);
    }

    private void Escaped(ReadOnlySpan<char> text, SearchValues<char> special)
    {
        int at;
        while ((at = text.IndexOfAny(special)) >= 0)
        {
            Utf8(text[..at]);
            Raw(text[at] switch { '\n' => "\\n"u8, '"' => "\\\""u8, _ => "\\\\"u8 });
            text = text[(at + 1)..];
        }

        Utf8(text);
    }

    // Half a surrogate pair becomes U+FFFD: what is written is always UTF-8.
    private void Utf8(ReadOnlySpan<char> text)
    {
        if (text.Length > 0)
        {
            Encoding.UTF8.GetBytes(text, output);
        }
    }
}
