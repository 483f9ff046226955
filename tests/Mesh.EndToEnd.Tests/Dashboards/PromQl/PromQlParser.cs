namespace Mesh.EndToEnd.Tests.Dashboards.PromQl;

/// <summary>
/// Reads expressions of Prometheus' query language, far enough to know which metrics they ask for and which labels they count on. Whether it is a
/// valid one is for Prometheus to say.
/// </summary>
internal sealed class PromQlParser
{
    private static readonly HashSet<string> Aggregations =
        ["sum", "min", "max", "avg", "group", "stddev", "stdvar", "count", "count_values", "bottomk", "topk", "quantile"];

    private static readonly string[][] Levels =
        [["or"], ["and", "unless"], ["==", "!=", ">=", "<=", ">", "<"], ["+", "-"], ["*", "/", "%", "atan2"], ["^"]];

    private readonly string _text;
    private readonly List<PromQlToken> _tokens;
    private int _at;

    private PromQlParser(string text)
    {
        _text = text;
        _tokens = PromQlLexer.Read(text);
    }

    private PromQlToken Current => _tokens[_at];

    /// <exception cref="FormatException">It is none.</exception>
    public static PromQlNode Parse(string text)
    {
        var parser = new PromQlParser(text);
        var node = parser.Binary(0);
        return parser.Current.Kind == PromQlTokenKind.End ? node : throw parser.Unexpected();
    }

    private PromQlNode Binary(int level)
    {
        if (level == Levels.Length)
        {
            return Unary();
        }

        var left = Binary(level + 1);
        while (Levels[level].Any(sign => Current.Is(sign) || Current.IsWord(sign)))
        {
            var sign = Take().Text;
            if (Current.IsWord("bool"))
            {
                Take();
            }

            var isOn = Current.IsWord("on");
            var matchedBy = isOn || Current.IsWord("ignoring") ? LabelsAfter() : [];
            var included = Current.IsWord("group_left") || Current.IsWord("group_right") ? LabelsAfter(optional: true) : [];
            left = new PromQlNode.Binary(sign, left, Binary(level + 1), isOn, matchedBy, included);
        }

        return left;
    }

    private PromQlNode Unary()
    {
        if (Current.Is("-") || Current.Is("+"))
        {
            Take();
            return Unary();
        }

        var node = Primary();
        while (true)
        {
            if (Current.Is("["))
            {
                while (!Current.Is("]"))
                {
                    Take();
                }

                Take();
            }
            else if (Current.IsWord("offset"))
            {
                Take();
                Take();
            }
            else
            {
                return node;
            }
        }
    }

    private PromQlNode Primary()
    {
        if (Current.Is("("))
        {
            Take();
            var inner = Binary(0);
            Expect(")");
            return inner;
        }

        if (Current.Is("{"))
        {
            return new PromQlNode.Selector("", Matchers());
        }

        var token = Take();
        switch (token.Kind)
        {
            case PromQlTokenKind.Number or PromQlTokenKind.Text:
                return new PromQlNode.Literal(token.Text);
            case PromQlTokenKind.Name when Aggregations.Contains(token.Text) && (Current.Is("(") || Current.IsWord("by") || Current.IsWord("without")):
                return Aggregation(token.Text);
            case PromQlTokenKind.Name when Current.Is("("):
                return new PromQlNode.Call(token.Text, Arguments());
            case PromQlTokenKind.Name:
                return new PromQlNode.Selector(token.Text, Current.Is("{") ? Matchers() : []);
            default:
                _at--;
                throw Unexpected();
        }
    }

    private PromQlNode.Aggregation Aggregation(string name)
    {
        IReadOnlyList<PromQlNode>? arguments = Current.Is("(") ? Arguments() : null;
        var isWithout = Current.IsWord("without");
        var labels = isWithout || Current.IsWord("by") ? LabelsAfter() : [];
        return new PromQlNode.Aggregation(name, isWithout, labels, arguments ?? Arguments());
    }

    private List<PromQlNode> Arguments()
    {
        Expect("(");
        var arguments = new List<PromQlNode>();
        while (!Current.Is(")"))
        {
            arguments.Add(Binary(0));
            if (!Current.Is(")"))
            {
                Expect(",");
            }
        }

        Take();
        return arguments;
    }

    private List<PromQlNode.Matcher> Matchers()
    {
        Expect("{");
        var matchers = new List<PromQlNode.Matcher>();
        while (!Current.Is("}"))
        {
            var label = Take(PromQlTokenKind.Name);
            var sign = Take(PromQlTokenKind.Sign);
            matchers.Add(new PromQlNode.Matcher(label, sign is "=" or "!=" or "=~" or "!~" ? sign : throw Unexpected(), Take(PromQlTokenKind.Text)));
            if (!Current.Is("}"))
            {
                Expect(",");
            }
        }

        Take();
        return matchers;
    }

    private List<string> LabelsAfter(bool optional = false)
    {
        Take();
        var labels = new List<string>();
        if (optional && !Current.Is("("))
        {
            return labels;
        }

        Expect("(");
        while (!Current.Is(")"))
        {
            labels.Add(Take(PromQlTokenKind.Name));
            if (!Current.Is(")"))
            {
                Expect(",");
            }
        }

        Take();
        return labels;
    }

    private PromQlToken Take() => Current.Kind == PromQlTokenKind.End ? throw Unexpected() : _tokens[_at++];

    private string Take(PromQlTokenKind kind) => Current.Kind == kind ? Take().Text : throw Unexpected();

    private void Expect(string sign)
    {
        if (!Take().Is(sign))
        {
            _at--;
            throw Unexpected();
        }
    }

    private FormatException Unexpected() => new($"'{Current.Text}' before {Current.End} was not expected in: {_text}");
}
