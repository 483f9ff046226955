namespace Mesh.DataPlane.Expressions;

/// <summary>Reads the part of the Common Expression Language that asks about a request; what lies beyond is refused where it stands.</summary>
internal sealed class CelParser
{
    public const int MaxLength = 8 * 1024;
    public const int MaxDepth = 64;

    private readonly string _text;
    private readonly List<CelToken> _tokens;
    private int _at;
    private int _depth;

    private CelParser(string text)
    {
        _text = text;
        _tokens = CelLexer.Read(text);
    }

    private CelToken Next => _tokens[_at];

    public static CelNode Parse(string text)
    {
        if (text.Length > MaxLength)
        {
            throw new CelSyntaxException(text[..64] + "…", MaxLength, $"longer than {MaxLength} characters");
        }

        var parser = new CelParser(text);
        var node = parser.Conditional();
        return parser.Next.Kind == CelTokenKind.End ? node : throw parser.Unexpected();
    }

    private CelNode Conditional()
    {
        if (++_depth > MaxDepth)
        {
            throw Refused(Next, $"nested more than {MaxDepth} deep");
        }

        var node = Or();
        if (Take("?"))
        {
            var then = Or();
            Expect(":");
            node = new CelNode.Choice(node, then, Conditional());
        }

        _depth--;
        return node;
    }

    private CelNode Or()
    {
        var node = And();
        while (Take("||"))
        {
            node = new CelNode.Or(node, And());
        }

        return node;
    }

    private CelNode And()
    {
        var node = Relation();
        while (Take("&&"))
        {
            node = new CelNode.And(node, Relation());
        }

        return node;
    }

    private CelNode Relation()
    {
        var left = Sum();
        while (true)
        {
            if (Take("=="))
            {
                left = new CelNode.Equality(left, Sum(), wanted: true);
            }
            else if (Take("!="))
            {
                left = new CelNode.Equality(left, Sum(), wanted: false);
            }
            else if (Take("<="))
            {
                left = new CelNode.Comparison(left, Sum(), o => o <= 0);
            }
            else if (Take(">="))
            {
                left = new CelNode.Comparison(left, Sum(), o => o >= 0);
            }
            else if (Take("<"))
            {
                left = new CelNode.Comparison(left, Sum(), o => o < 0);
            }
            else if (Take(">"))
            {
                left = new CelNode.Comparison(left, Sum(), o => o > 0);
            }
            else if (Next.IsName("in"))
            {
                _at++;
                left = new CelNode.Membership(left, Sum());
            }
            else
            {
                return left;
            }
        }
    }

    private CelNode Sum()
    {
        var node = Product();
        while (true)
        {
            if (Take("+"))
            {
                node = new CelNode.Call2(node, Product(), CelFunctions.Add);
            }
            else if (Take("-"))
            {
                node = new CelNode.Call2(node, Product(), CelFunctions.Subtract);
            }
            else
            {
                return node;
            }
        }
    }

    private CelNode Product()
    {
        var node = Unary();
        while (true)
        {
            if (Take("*"))
            {
                node = new CelNode.Call2(node, Unary(), CelFunctions.Multiply);
            }
            else if (Take("/"))
            {
                node = new CelNode.Call2(node, Unary(), CelFunctions.Divide);
            }
            else if (Take("%"))
            {
                node = new CelNode.Call2(node, Unary(), CelFunctions.Remainder);
            }
            else
            {
                return node;
            }
        }
    }

    private CelNode Unary()
    {
        // A run of signs is a loop, so that no number of them can exhaust the stack.
        var (nots, minuses) = (0, 0);
        while (true)
        {
            if (minuses == 0 && Take("!"))
            {
                nots++;
            }
            else if (nots == 0 && Take("-"))
            {
                minuses++;
            }
            else
            {
                break;
            }
        }

        var node = Member();
        for (var i = 0; i < (nots > 0 ? 2 - (nots % 2) : 0); i++)
        {
            node = new CelNode.Not(node);
        }

        for (var i = 0; i < (minuses > 0 ? 2 - (minuses % 2) : 0); i++)
        {
            node = new CelNode.Call(node, CelFunctions.Negate);
        }

        return node;
    }

    private CelNode Member()
    {
        var node = Primary();
        for (var members = 0; ; members++)
        {
            if (members > MaxDepth)
            {
                throw Refused(Next, $"more than {MaxDepth} members of members");
            }

            if (Take("."))
            {
                var name = Name();
                node = Next.Is("(") ? Method(node, name) : new CelNode.Index(node, new CelNode.Constant(CelValue.Of(name.Text)));
            }
            else if (Take("["))
            {
                node = new CelNode.Index(node, Conditional());
                Expect("]");
            }
            else
            {
                return node;
            }
        }
    }

    private CelNode Primary()
    {
        var token = Next;
        _at++;
        switch (token.Kind)
        {
            case CelTokenKind.Int:
                return new CelNode.Constant(CelValue.Of(token.Number));
            case CelTokenKind.Double:
                return new CelNode.Constant(CelValue.Of(token.Fraction));
            case CelTokenKind.String:
                return new CelNode.Constant(CelValue.Of(token.Text));
            case CelTokenKind.Operator when token.Text == "(":
                var inner = Conditional();
                Expect(")");
                return inner;
            case CelTokenKind.Operator when token.Text == "[":
                return List();
            case CelTokenKind.Name:
                return Named(token);
            default:
                _at--;
                throw Unexpected();
        }
    }

    private CelNode List()
    {
        var elements = new List<CelNode>();
        while (!Next.Is("]"))
        {
            elements.Add(Conditional());
            if (!Take(","))
            {
                break;
            }
        }

        Expect("]");
        return elements.All(e => e is CelNode.Constant)
            ? new CelNode.Constant(CelValue.Of([.. elements.Cast<CelNode.Constant>().Select(c => c.Value)]))
            : new CelNode.ListOf([.. elements]);
    }

    private CelNode Named(CelToken name)
    {
        switch (name.Text)
        {
            case "true" or "false":
                return new CelNode.Constant(CelValue.Of(name.Text == "true"));
            case "null":
                return new CelNode.Constant(CelValue.Null);
        }

        if (Next.Is("("))
        {
            return Function(name);
        }

        if (CelAttributes.All.TryGetValue(name.Text, out var alone))
        {
            return new CelNode.Attribute(alone);
        }

        if (!CelAttributes.Objects.Contains(name.Text))
        {
            throw Refused(name, $"there is no '{name.Text}' here; there are {string.Join(", ", CelAttributes.Objects.Order(StringComparer.Ordinal))}, metadata");
        }

        // request.path, and request['path'], which is the same.
        CelToken member;
        if (Take("."))
        {
            member = Name();
        }
        else if (Take("[") && Next.Kind == CelTokenKind.String)
        {
            member = Next;
            _at++;
            Expect("]");
        }
        else
        {
            throw Refused(name, $"a member of '{name.Text}' has to be named");
        }

        return CelAttributes.All.TryGetValue($"{name.Text}.{member.Text}", out var attribute)
            ? new CelNode.Attribute(attribute)
            : throw Refused(member, $"'{name.Text}' has no '{member.Text}' here");
    }

    // The name first: what does not exist shall not be told of by its arguments.
    private CelNode Function(CelToken name)
        => CelCalls.IsFunction(name.Text)
            ? CelCalls.Function(_text, name, Arguments())
            : throw Refused(name, $"there is no function '{name.Text}' here; there are {CelCalls.Functions}");

    private CelNode Method(CelNode of, CelToken name)
        => CelCalls.IsMethod(name.Text)
            ? CelCalls.Method(_text, of, name, Arguments())
            : throw Refused(name, $"values have no function '{name.Text}' here; there are {CelCalls.Methods}");

    private List<CelNode> Arguments()
    {
        Expect("(");
        var arguments = new List<CelNode>();
        while (!Next.Is(")"))
        {
            arguments.Add(Conditional());
            if (!Take(","))
            {
                break;
            }
        }

        Expect(")");
        return arguments;
    }

    private CelToken Name()
    {
        var token = Next;
        if (token.Kind != CelTokenKind.Name)
        {
            throw Unexpected();
        }

        _at++;
        return token;
    }

    private bool Take(string text)
    {
        if (!Next.Is(text))
        {
            return false;
        }

        _at++;
        return true;
    }

    private void Expect(string text)
    {
        if (!Take(text))
        {
            throw Refused(Next, $"'{text}' is expected here");
        }
    }

    private CelSyntaxException Unexpected()
        => Refused(Next, Next.Kind == CelTokenKind.End ? "something is missing here" : $"'{Next.Text}' cannot stand here");

    private CelSyntaxException Refused(CelToken at, string reason) => new(_text, at.Position, reason);
}
