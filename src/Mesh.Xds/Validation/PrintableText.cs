using System.Text;

namespace Mesh.Xds.Validation;

/// <summary>
/// Texts of others within messages of ours: on one line, of a bounded length, and nothing in them that a log or a terminal would obey.
/// </summary>
internal static class PrintableText
{
    /// <summary>How long a message may be. What is left out is taken from its middle: the reason and the way out stand at the ends.</summary>
    public const int MaxLength = 1_500;

    private const int KeptEnd = 500;

    public static string Of(string text)
    {
        if (text.Length > MaxLength)
        {
            text = $"{text.AsSpan(0, MaxLength - KeptEnd)}…{text.AsSpan(text.Length - KeptEnd)}";
        }

        var first = text.AsSpan().IndexOfAnyExceptInRange(' ', '~');
        if (first < 0)
        {
            return text;
        }

        var printable = new StringBuilder(text.Length + 16).Append(text, 0, first);
        for (var i = first; i < text.Length; i++)
        {
            var c = text[i];
            var isHalf = char.IsSurrogate(c) && !(char.IsSurrogatePair(text, i) || (i > 0 && char.IsSurrogatePair(text, i - 1)));
            if (char.IsControl(c))
            {
                printable.Append(null, $"\\x{(int)c:x2}");
            }
            else if (isHalf || char.GetUnicodeCategory(c) is System.Globalization.UnicodeCategory.LineSeparator
                or System.Globalization.UnicodeCategory.ParagraphSeparator
                or System.Globalization.UnicodeCategory.Format)
            {
                printable.Append(null, $"\\u{(int)c:x4}");
            }
            else
            {
                printable.Append(c);
            }
        }

        return printable.ToString();
    }
}
