using System.Globalization;
using System.Text;

namespace Mesh.DataPlane.Matching.Re2;

/// <summary>Writes a simplified pattern (<see cref="Re2Simplifier"/>) in .NET's dialect, over the characters of a <see cref="CodePointAlphabet"/>.</summary>
internal sealed class DotNetPatternWriter
{
    private readonly CodePointAlphabet _alphabet;
    private readonly StringBuilder _output = new();
    private readonly Dictionary<CodePointSet, string> _written = [];

    private DotNetPatternWriter(CodePointAlphabet alphabet) => _alphabet = alphabet;

    /// <summary>A pattern that is found in the texts in which RE2 finds the original; where in the text it is found may differ.</summary>
    public static string Search(Re2Node root, CodePointAlphabet alphabet)
    {
        var writer = new DotNetPatternWriter(alphabet);
        writer.Write(root);
        return writer._output.ToString();
    }

    /// <summary>A pattern that matches whole texts only.</summary>
    public static string Full(Re2Node root, CodePointAlphabet alphabet) => $@"\A(?:{Search(root, alphabet)})\z";

    private void Write(Re2Node node)
    {
        switch (node.Kind)
        {
            case Re2NodeKind.Set:
                _output.Append(Write(node.Set));
                break;
            case Re2NodeKind.BeginText:
                _output.Append(@"\A");
                break;
            case Re2NodeKind.EndText:
                _output.Append(@"\z");
                break;
            case Re2NodeKind.BeginLine:
                _output.Append("(?m:^)");
                break;
            case Re2NodeKind.EndLine:
                _output.Append("(?m:$)");
                break;
            case Re2NodeKind.WordBoundary:
                _output.Append(@"\b");
                break;
            case Re2NodeKind.NotWordBoundary:
                _output.Append(@"\B");
                break;
            case Re2NodeKind.Concatenation:
                foreach (var child in node.Children)
                {
                    WriteOperand(child, node.Kind);
                }

                break;
            case Re2NodeKind.Alternation:
                for (var i = 0; i < node.Children.Length; i++)
                {
                    _output.Append(i == 0 ? "" : "|");
                    WriteOperand(node.Children[i], node.Kind);
                }

                break;
            case Re2NodeKind.Repeat:
                WriteOperand(node.Children[0], node.Kind);
                _output.Append(Quantifier(node));
                break;
        }
    }

    private void WriteOperand(Re2Node child, Re2NodeKind parent)
    {
        var bare = child.Kind is Re2NodeKind.Set
            || (parent != Re2NodeKind.Repeat && child.Kind is not (Re2NodeKind.Alternation or Re2NodeKind.Concatenation))
            || (parent == Re2NodeKind.Alternation && child.Kind == Re2NodeKind.Concatenation);
        _output.Append(bare ? "" : "(?:");
        Write(child);
        _output.Append(bare ? "" : ")");
    }

    private static string Quantifier(Re2Node node) => (node.Min, node.Max) switch
    {
        (0, Re2Node.Unbounded) => "*",
        (1, Re2Node.Unbounded) => "+",
        (0, 1) => "?",
        (var min, Re2Node.Unbounded) => string.Create(CultureInfo.InvariantCulture, $"{{{min},}}"),
        var (min, max) => string.Create(CultureInfo.InvariantCulture, $"{{{min},{max}}}"),
    };

    private string Write(CodePointSet set)
    {
        if (set.Single is >= 0 and < 0x80 and var literal && char.IsAsciiLetterOrDigit((char)literal))
        {
            return ((char)literal).ToString();
        }

        if (!_written.TryGetValue(set, out var text))
        {
            var builder = new StringBuilder("[");
            foreach (var (low, high) in set.IsEmpty ? [(CodePointAlphabet.Never, CodePointAlphabet.Never)] : _alphabet.Units(set))
            {
                builder.Append(CultureInfo.InvariantCulture, $"\\u{(int)low:X4}");
                if (high > low)
                {
                    builder.Append(CultureInfo.InvariantCulture, $"-\\u{(int)high:X4}");
                }
            }

            _written[set] = text = builder.Append(']').ToString();
        }

        return text;
    }
}
