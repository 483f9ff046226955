using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;

namespace Mesh.Server.Admin.Html;

/// <summary>A piece of HTML: what is written in the code stands as it is, and whatever is put into its holes is encoded, unless it is HTML itself.</summary>
internal readonly struct HtmlText
{
    private readonly string? _text;

    private HtmlText(string text) => _text = text;

    public static HtmlText Empty { get; }

    public static HtmlText Of(Builder html) => new(html.Finish());

    /// <summary>A text of our own that is HTML already.</summary>
    public static HtmlText Verbatim(string html) => new(html);

    public static HtmlText Join(IEnumerable<HtmlText> pieces) => new(string.Concat(pieces.Select(p => p.ToString())));

    /// <summary>One piece for each item.</summary>
    public static HtmlText Each<T>(IEnumerable<T> items, Func<T, HtmlText> piece) => Join(items.Select(piece));

    public override string ToString() => _text ?? "";

    /// <summary>Puts the pieces together; made by the compiler for an interpolated string.</summary>
    /// <param name="literalLength">The length of what stands as it is.</param>
    /// <param name="formattedCount">The number of holes.</param>
    [InterpolatedStringHandler]
    internal readonly ref struct Builder(int literalLength, int formattedCount)
    {
        private readonly StringBuilder _html = new(literalLength + (formattedCount * 16));

        public void AppendLiteral(string literal) => _html.Append(literal);

        public void AppendFormatted(HtmlText html) => _html.Append(html.ToString());

        public void AppendFormatted(string? text) => _html.Append(HtmlEncoder.Default.Encode(text ?? ""));

        public void AppendFormatted<T>(T value, string? format = null)
            => AppendFormatted(value is IFormattable formattable ? formattable.ToString(format, CultureInfo.InvariantCulture) : value?.ToString());

        public string Finish() => _html.ToString();
    }
}
