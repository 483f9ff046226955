using System.Globalization;

namespace Mesh.DataPlane.Matching.Re2;

/// <summary>Parses the syntax that <c>RE2::Quiet</c> options accept (https://github.com/google/re2/wiki/Syntax) without recursion.</summary>
internal sealed class Re2Parser
{
    private const int MaxRepeat = 1_000;

    /// <summary>A group adds at most an alternation, a concatenation, a repetition and itself to the depth of the tree.</summary>
    private const int MaxDepthPerGroup = 4;

    private readonly PatternReader _reader;
    private readonly int _maxNestingDepth;
    private readonly Stack<Group> _open = new();
    private Group _group = new(0, number: 0, Re2Flags.None);
    private Re2Flags _flags;

    private Re2Parser(string pattern, int maxNestingDepth)
    {
        _reader = new PatternReader(pattern);
        _maxNestingDepth = maxNestingDepth;
    }

    /// <summary>Number of capturing groups, counted by their opening parentheses.</summary>
    private int Captures { get; set; }

    public static Re2Node Parse(string pattern, int maxNestingDepth, out int captures)
    {
        var parser = new Re2Parser(pattern, maxNestingDepth);
        var root = parser.Parse();
        captures = parser.Captures;
        return root;
    }

    private Re2Node Parse()
    {
        // Position of a repetition operator that ended right here, or -1: RE2 refuses a second one at once (a**, a+?*).
        var afterRepeat = -1;
        while (!_reader.AtEnd)
        {
            var start = _reader.Position;
            var repeated = -1;
            switch (_reader.Current)
            {
                case '(':
                    OpenGroup();
                    break;
                case ')':
                    CloseGroup();
                    break;
                case '|':
                    _reader.Position++;
                    _group.NextBranch();
                    break;
                case '[':
                    Push(CharacterClassParser.Parse(_reader, FoldsCase));
                    break;
                case '.':
                    _reader.Position++;
                    Push(Has(Re2Flags.DotNewline) ? CodePointSet.Any : CodePointSet.AnyButNewline);
                    break;
                case '^':
                    PushAssertion(Has(Re2Flags.MultiLine) ? Re2NodeKind.BeginLine : Re2NodeKind.BeginText, 1);
                    break;
                case '$':
                    PushAssertion(Has(Re2Flags.MultiLine) ? Re2NodeKind.EndLine : Re2NodeKind.EndText, 1);
                    break;
                case '*' or '+' or '?':
                    Loop(afterRepeat);
                    repeated = start;
                    break;
                case '{' when TryReadCount(out var min, out var max):
                    Count(start, min, max, afterRepeat);
                    repeated = start;
                    break;
                case '\\':
                    Escape();
                    break;
                default:
                    PushLiteral(_reader.TakeCodePoint());
                    break;
            }

            afterRepeat = repeated;
        }

        if (_open.Count > 0)
        {
            _reader.Fail(_group.Start, "missing closing )");
        }

        return _group.Finish();
    }

    private bool FoldsCase => Has(Re2Flags.FoldCase);

    private bool Has(Re2Flags flag) => (_flags & flag) != 0;

    private void Push(CodePointSet set) => _group.Push(Re2Node.OfSet(set));

    private void PushLiteral(int codePoint)
    {
        var builder = new CodePointSetBuilder();
        builder.Add(codePoint, codePoint, FoldsCase);
        Push(builder.Build());
    }

    private void PushAssertion(Re2NodeKind kind, int length)
    {
        _reader.Position += length;
        _group.Push(Re2Node.Simple(kind));
    }

    private void Escape()
    {
        var next = _reader.Rest is [_, var letter, ..] ? letter : '\0';
        switch (next)
        {
            case 'A':
                PushAssertion(Re2NodeKind.BeginText, 2);
                return;
            case 'z':
                PushAssertion(Re2NodeKind.EndText, 2);
                return;
            case 'b':
                PushAssertion(Re2NodeKind.WordBoundary, 2);
                return;
            case 'B':
                PushAssertion(Re2NodeKind.NotWordBoundary, 2);
                return;
            case 'C':
                _reader.Fail(_reader.Position, @"\C (any byte) is not supported: text is matched by character");
                return;
            case 'Q':
                Quotation();
                return;
            case 'p' or 'P':
                var unicode = _reader.TakeUnicodeClass(out var negated);
                PushClass(unicode, negated);
                return;
        }

        if (AsciiClasses.FindPerl(next) is { } perl)
        {
            _reader.Position += 2;
            PushClass(perl, char.IsAsciiLetterUpper(next));
            return;
        }

        PushLiteral(_reader.TakeEscape());
    }

    private void PushClass(CodePointSet set, bool negated)
    {
        var builder = new CodePointSetBuilder();
        builder.AddClass(set, negated, FoldsCase);
        Push(builder.Build());
    }

    private void Quotation()
    {
        _reader.Position += 2;
        while (!_reader.AtEnd)
        {
            if (_reader.StartsWith(@"\E"))
            {
                _reader.Position += 2;
                return;
            }

            PushLiteral(_reader.TakeCodePoint());
        }
    }

    private void OpenGroup()
    {
        var start = _reader.Position;
        var saved = _flags;
        var captures = true;
        if (!_reader.StartsWith("(?"))
        {
            _reader.Position++;
        }
        else if (_reader.Rest is [_, _, '=' or '!', ..] or [_, _, '<', '=' or '!', ..])
        {
            _reader.Fail(start, "invalid perl operator: RE2 has no look-around");
        }
        else if (_reader.StartsWith("(?P<") || _reader.StartsWith("(?<"))
        {
            TakeGroupName(start);
        }
        else if (TakeFlags(start))
        {
            captures = false;
        }
        else
        {
            return;
        }

        if (_open.Count >= _maxNestingDepth)
        {
            _reader.Fail(start, $"nested deeper than {_maxNestingDepth} groups");
        }

        Captures += captures ? 1 : 0;
        _open.Push(_group);
        _group = new Group(start, captures ? Captures : 0, saved);
    }

    private void TakeGroupName(int start)
    {
        var from = _reader.Pattern.IndexOf('<', start) + 1;
        var end = _reader.Pattern.IndexOf('>', from);
        if (end < 0 || !PatternReader.IsGroupName(_reader.Pattern.AsSpan(from, end - from)))
        {
            _reader.Fail(start, $"invalid named capture group: {_reader.Pattern[start..(end < 0 ? _reader.Pattern.Length : end + 1)]}");
        }

        _reader.Position = end + 1;
    }

    /// <summary>Reads <c>(?i)</c>, <c>(?i-s:</c> and the like; true when a group begins.</summary>
    private bool TakeFlags(int start)
    {
        _reader.Position += 2;
        var flags = _flags;
        var negated = false;
        var sawFlag = false;
        while (!_reader.AtEnd)
        {
            var letter = _reader.TakeCodePoint();
            var flag = letter switch
            {
                'i' => Re2Flags.FoldCase,
                'm' => Re2Flags.MultiLine,
                's' => Re2Flags.DotNewline,
                'U' => Re2Flags.Ungreedy,
                _ => Re2Flags.None,
            };

            if (flag != Re2Flags.None)
            {
                flags = negated ? flags & ~flag : flags | flag;
                sawFlag = true;
            }
            else if (letter == '-' && !negated)
            {
                negated = true;
                sawFlag = false;
            }
            else if (letter is ':' or ')' && (!negated || sawFlag))
            {
                _flags = flags;
                return letter == ':';
            }
            else
            {
                break;
            }
        }

        _reader.Fail(start, $"invalid perl operator: {_reader.Pattern[start.._reader.Position]}");
        return false;
    }

    private void CloseGroup()
    {
        if (!_open.TryPop(out var outer))
        {
            _reader.Fail(_reader.Position, "unexpected )");
        }

        _reader.Position++;
        var node = _group.Finish();
        _flags = _group.Flags;
        var number = _group.Number;
        _group = outer;
        _group.Push(number > 0 ? Re2Node.Capture(node, number) : node);
    }

    private void Loop(int afterRepeat)
    {
        var start = _reader.Position;
        var (min, max) = _reader.Current switch
        {
            '*' => (0, Re2Node.Unbounded),
            '+' => (1, Re2Node.Unbounded),
            _ => (0, 1),
        };
        _reader.Position++;
        var lazy = TakeLaziness();
        _group.Replace(Re2Node.Loop(TakeOperand(start, afterRepeat), min, max, lazy));
    }

    private void Count(int start, int min, int max, int afterRepeat)
    {
        var lazy = TakeLaziness();
        if (afterRepeat < 0 && (min > MaxRepeat || max > MaxRepeat || (max != Re2Node.Unbounded && max < min)))
        {
            _reader.Fail(start, $"invalid repetition size: {_reader.Pattern[start.._reader.Position]}");
        }

        var node = Re2Node.Counted(TakeOperand(start, afterRepeat), min, max, lazy);
        if ((min >= 2 || max >= 2) && node.Copies > MaxRepeat)
        {
            _reader.Fail(start, $"invalid repetition size: nested repetitions make more than {MaxRepeat} copies");
        }

        _group.Replace(node);
    }

    private bool TakeLaziness() => _reader.TryTake('?') ^ Has(Re2Flags.Ungreedy);

    private Re2Node TakeOperand(int start, int afterRepeat)
    {
        if (afterRepeat >= 0)
        {
            _reader.Fail(afterRepeat, $"bad repetition operator: {_reader.Pattern[afterRepeat.._reader.Position]}");
        }

        if (_group.Last is not { } operand)
        {
            _reader.Fail(start, $"no argument for repetition operator: {_reader.Pattern[start.._reader.Position]}");
            return null!;
        }

        // (?i)* after a loop wraps it once more without a parenthesis.
        if (operand.Depth > MaxDepthPerGroup * _maxNestingDepth)
        {
            _reader.Fail(start, $"nested deeper than {_maxNestingDepth} groups");
        }

        return operand;
    }

    /// <summary>Reads <c>{n}</c>, <c>{n,}</c> or <c>{n,m}</c>. Anything else that begins with a brace is literal, as in RE2.</summary>
    private bool TryReadCount(out int min, out int max)
    {
        var at = _reader.Position + 1;
        max = 0;
        if (!TryReadInteger(ref at, out min))
        {
            return false;
        }

        max = min;
        if (at < _reader.Pattern.Length && _reader.Pattern[at] == ',')
        {
            at++;
            max = Re2Node.Unbounded;
            if (at < _reader.Pattern.Length && _reader.Pattern[at] != '}' && !TryReadInteger(ref at, out max))
            {
                return false;
            }
        }

        if (at >= _reader.Pattern.Length || _reader.Pattern[at] != '}')
        {
            return false;
        }

        _reader.Position = at + 1;
        return true;
    }

    private bool TryReadInteger(ref int at, out int value)
    {
        var rest = _reader.Pattern.AsSpan(at);
        var digits = rest.IndexOfAnyExceptInRange('0', '9');
        digits = digits < 0 ? rest.Length : digits;
        value = 0;

        // No leading zeros; ten digits and more overflow in RE2's reader, which then takes the brace literally.
        if (digits is 0 or > 9 || (digits > 1 && rest[0] == '0'))
        {
            return false;
        }

        value = int.Parse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture);
        at += digits;
        return true;
    }

    /// <summary>An open group: its finished branches and the branch being read.</summary>
    private sealed class Group(int start, int number, Re2Flags flags)
    {
        private readonly List<Re2Node> _branches = [];
        private List<Re2Node> _branch = [];

        public int Start { get; } = start;

        /// <summary>0 for a group that does not capture.</summary>
        public int Number { get; } = number;

        /// <summary>The flags to return to when the group ends.</summary>
        public Re2Flags Flags { get; } = flags;

        public Re2Node? Last => _branch.Count == 0 ? null : _branch[^1];

        public void Push(Re2Node node) => _branch.Add(node);

        public void Replace(Re2Node node) => _branch[^1] = node;

        public void NextBranch()
        {
            _branches.Add(Re2Node.Concatenation(_branch));
            _branch = [];
        }

        public Re2Node Finish()
        {
            NextBranch();
            return Re2Node.Alternation(_branches);
        }
    }
}
