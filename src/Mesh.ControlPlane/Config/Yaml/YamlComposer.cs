using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Mesh.ControlPlane.Config.Yaml;

/// <summary>
/// Builds nodes from parser events without recursion and within <see cref="YamlLimits"/>. YamlDotNet's own representation model
/// recurses (deep nesting ends the process), stops at the first duplicate key, and does not know merge keys.
/// </summary>
internal sealed class YamlComposer
{
    private const string CoreTag = "tag:yaml.org,2002:";

    private readonly string _text;
    private readonly YamlLimits _limits;
    private readonly List<YamlDocument> _documents = [];
    private readonly Dictionary<string, YamlNode?> _anchors = new(StringComparer.Ordinal);
    private readonly Stack<Frame> _stack = new();
    private List<YamlProblem> _problems = [];
    private YamlNode? _root;
    private int _start;
    private int _line = 1;
    private int _nodes;

    private YamlComposer(string text, YamlLimits limits)
    {
        _text = text;
        _limits = limits;
    }

    public static YamlText Compose(string text, YamlLimits limits)
    {
        if (text.Length > limits.MaxCharacters)
        {
            return new YamlText([], new YamlProblem(1, 1, $"the text has {text.Length:N0} characters, more than the {limits.MaxCharacters:N0} allowed: split the file"));
        }

        return new YamlComposer(text, limits).Run();
    }

    private YamlText Run()
    {
        var last = Mark.Empty;
        try
        {
            if (ControlCharacter() is { } control)
            {
                return new YamlText([], control);
            }

            var parser = new Parser(new StringReader(_text));
            while (parser.MoveNext())
            {
                last = parser.Current!.End;
                Take(parser.Current);
            }

            return new YamlText(_documents, null);
        }
        catch (LimitException limit)
        {
            return new YamlText(_documents, limit.Problem);
        }
        catch (YamlException error)
        {
            return new YamlText(_documents, Explain(error));
        }
        // On some torn texts YamlDotNet's scanner fails without saying where.
        catch (Exception error) when (error is InvalidOperationException or ArgumentException or IndexOutOfRangeException or FormatException or OverflowException)
        {
            return new YamlText(_documents, new YamlProblem(Math.Max(1, (int)last.Line), Math.Max(1, (int)last.Column), "this is not YAML from here on."));
        }
    }

    // To the scanner a NUL is the end of the text: what a crash filled with zeros would lose its second half in silence.
    private YamlProblem? ControlCharacter()
    {
        for (var i = 0; i < _text.Length; i++)
        {
            if (_text[i] is < ' ' and not ('\t' or '\n' or '\r') or '\u007f')
            {
                var line = 1 + _text.AsSpan(0, i).Count('\n');
                return new YamlProblem(line, i - LineStart(i) + 1, $"this is not YAML: the control character U+{(int)_text[i]:X4} is not allowed.");
            }
        }

        return null;
    }

    private YamlProblem Explain(YamlException error)
    {
        var reason = error.InnerException?.Message ?? error.Message;
        var number = 0;
        foreach (var line in _text.AsSpan().EnumerateLines())
        {
            number++;
            var indent = line[..(line.Length - line.TrimStart(" \t").Length)];
            if (number >= error.Start.Line && number <= error.End.Line + 1 && indent.IndexOf('\t') is >= 0 and var tab)
            {
                return new YamlProblem(number, tab + 1, $"this is not YAML: {reason} The line is indented by a tab; YAML wants spaces.");
            }
        }

        return new YamlProblem(Math.Max(1, (int)error.Start.Line), Math.Max(1, (int)error.Start.Column), $"this is not YAML: {reason}");
    }

    private void Take(ParsingEvent e)
    {
        switch (e)
        {
            case DocumentStart:
                var start = LineStart((int)Math.Min(e.Start.Index, _text.Length));
                _line += _text.AsSpan(_start, start - _start).Count('\n');
                _start = start;
                _root = null;
                _problems = [];
                _anchors.Clear();
                break;
            case DocumentEnd:
                EndDocument(e);
                break;
            case Scalar scalar:
                var leaf = NewScalar(scalar);
                Remember(scalar.Anchor, leaf);
                Place(leaf, e);
                break;
            case AnchorAlias alias:
                Place(Resolve(alias), e);
                break;
            case SequenceStart sequence:
                CheckTag(sequence.Tag, "seq", e);
                Push(new YamlSequence(LineOf(e), ColumnOf(e)), sequence.Anchor, e);
                break;
            case MappingStart mapping:
                CheckTag(mapping.Tag, "map", e);
                Push(new YamlMapping(LineOf(e), ColumnOf(e)), mapping.Anchor, e);
                break;
            case SequenceEnd or MappingEnd:
                var frame = _stack.Pop();
                frame.Finish(this);
                if (frame.Anchor is not null)
                {
                    _anchors[frame.Anchor] = frame.Node;
                }

                Place(frame.Node, e);
                break;
        }
    }

    private void EndDocument(ParsingEvent e)
    {
        if (_root is null or YamlScalar { IsNull: true })
        {
            return;
        }

        if (_documents.Count == _limits.MaxDocuments)
        {
            throw Limit(_root, $"the text has more than the {_limits.MaxDocuments:N0} documents allowed: split the file");
        }

        var end = Math.Clamp((int)e.Start.Index, _start, _text.Length);
        var text = _text.AsMemory(_start, end - _start).TrimEnd();
        _documents.Add(new YamlDocument(_root, text, _line, _problems));
    }

    private int LineStart(int index) => index == 0 ? 0 : _text.LastIndexOf('\n', index - 1) + 1;

    private void Push(YamlNode node, AnchorName anchor, ParsingEvent e)
    {
        Count(node);
        if (_stack.Count + 1 >= _limits.MaxDepth)
        {
            throw Limit(node, $"lists and mappings nest deeper than the {_limits.MaxDepth} levels allowed");
        }

        if (!anchor.IsEmpty)
        {
            // Known but not finished: an alias inside would contain itself.
            _anchors[anchor.Value] = null;
        }

        _stack.Push(new Frame(node, anchor.IsEmpty ? null : anchor.Value));
    }

    private void Remember(AnchorName anchor, YamlNode node)
    {
        if (!anchor.IsEmpty)
        {
            _anchors[anchor.Value] = node;
        }
    }

    private YamlNode Resolve(AnchorAlias alias)
    {
        if (!_anchors.TryGetValue(alias.Value.Value, out var node))
        {
            throw Limit(alias, $"*{alias.Value} names no anchor: write &{alias.Value} at the node that it repeats, before this line");
        }

        return node ?? throw Limit(alias, $"*{alias.Value.Value} is inside the node that it repeats");
    }

    private void Place(YamlNode node, ParsingEvent e)
    {
        if (_stack.Count == 0)
        {
            _root = node;
            return;
        }

        var frame = _stack.Peek();
        if (_stack.Count + node.Height > _limits.MaxDepth)
        {
            throw Limit(e, $"with its aliases written out, this nests deeper than the {_limits.MaxDepth} levels allowed");
        }

        if (frame.Node.Size + node.Size > _limits.MaxExpandedNodes)
        {
            throw Limit(e, $"with its aliases written out, the document has more than the {_limits.MaxExpandedNodes:N0} nodes allowed");
        }

        if (frame.Count == _limits.MaxItems)
        {
            throw Limit(e, $"a list or mapping has more than the {_limits.MaxItems:N0} items allowed");
        }

        frame.Place(node, this);
    }

    private YamlScalar NewScalar(Scalar scalar)
    {
        var plain = scalar.Style == ScalarStyle.Plain && scalar.Tag.IsEmpty;
        var type = plain ? YamlScalarResolver.Resolve(scalar.Value) : scalar.Tag.IsEmpty || scalar.Tag.IsNonSpecific ? YamlScalarType.String : Tagged(scalar);
        var node = new YamlScalar(scalar.Value, type, plain, LineOf(scalar), ColumnOf(scalar));
        Count(node);
        return node;
    }

    private YamlScalarType Tagged(Scalar scalar)
    {
        var name = scalar.Tag.Value.StartsWith(CoreTag, StringComparison.Ordinal) ? scalar.Tag.Value[CoreTag.Length..] : "";
        var natural = YamlScalarResolver.Resolve(scalar.Value);
        YamlScalarType? type = name switch
        {
            "str" or "timestamp" => YamlScalarType.String,
            "null" when natural == YamlScalarType.Null => YamlScalarType.Null,
            "bool" when natural == YamlScalarType.Boolean => YamlScalarType.Boolean,
            "int" when natural == YamlScalarType.Integer => YamlScalarType.Integer,
            "float" when natural is YamlScalarType.Integer or YamlScalarType.Float => YamlScalarType.Float,
            _ => null,
        };
        if (type is null)
        {
            _problems.Add(new YamlProblem(LineOf(scalar), ColumnOf(scalar), $"the tag {scalar.Tag.Value} cannot be used here: leave it out"));
        }

        return type ?? YamlScalarType.String;
    }

    private void CheckTag(TagName tag, string expected, ParsingEvent e)
    {
        if (!tag.IsEmpty && !tag.IsNonSpecific && tag.Value != CoreTag + expected)
        {
            _problems.Add(new YamlProblem(LineOf(e), ColumnOf(e), $"the tag {tag.Value} cannot be used here: leave it out"));
        }
    }

    private void Count(YamlNode node)
    {
        if (++_nodes > _limits.MaxNodes)
        {
            throw Limit(node, $"the text has more than the {_limits.MaxNodes:N0} nodes allowed: split the file");
        }
    }

    private void Problem(YamlNode at, string message, bool isWarning = false)
    {
        // Warnings must not crowd out an error: a document is judged by what is in the list.
        if (_problems.Count >= _limits.MaxErrors)
        {
            var warning = isWarning ? -1 : _problems.FindIndex(problem => problem.IsWarning);
            if (warning < 0)
            {
                return;
            }

            _problems.RemoveAt(warning);
        }

        _problems.Add(new YamlProblem(at.Line, at.Column, message, isWarning));
    }

    private static int LineOf(ParsingEvent e) => (int)e.Start.Line;

    private static int ColumnOf(ParsingEvent e) => (int)e.Start.Column;

    private static LimitException Limit(ParsingEvent e, string message) => new(new YamlProblem(LineOf(e), ColumnOf(e), message));

    private static LimitException Limit(YamlNode node, string message) => new(new YamlProblem(node.Line, node.Column, message));

    private sealed class LimitException(YamlProblem problem) : Exception(problem.Message)
    {
        public YamlProblem Problem { get; } = problem;
    }

    /// <summary>A list or mapping that is not finished.</summary>
    private sealed class Frame(YamlNode node, string? anchor)
    {
        private readonly List<YamlNode> _merged = [];
        private YamlNode? _key;
        private int _count;

        public YamlNode Node { get; } = node;

        public string? Anchor { get; } = anchor;

        public int Count => _count;

        public void Place(YamlNode child, YamlComposer composer)
        {
            if (Node is YamlSequence sequence)
            {
                sequence.Add(child);
                _count++;
                return;
            }

            if (_key is null)
            {
                _key = child;
                return;
            }

            var key = _key;
            _key = null;
            _count++;
            if (key is not YamlScalar scalar)
            {
                composer.Problem(key, $"the key of a mapping must be a string, not {key.Describe()}");
            }
            else if (scalar.IsMerge)
            {
                Merge(scalar, child, composer);
            }
            else if (!((YamlMapping)Node).TryAdd(scalar, child, out var first))
            {
                // As kubectl and the readers of Kubernetes take it: nothing of the first value is left.
                ((YamlMapping)Node).Replace(scalar, child);
                composer.Problem(
                    scalar,
                    string.Create(CultureInfo.InvariantCulture, $"the key \"{scalar.Value}\" is given twice, first in line {first.Key.Line}: the last one counts, the others are dropped; keep one"),
                    isWarning: true);
            }
        }

        /// <summary>The mapping's own keys win over merged ones, and an earlier merged mapping over a later one.</summary>
        public void Finish(YamlComposer composer)
        {
            foreach (var source in _merged)
            {
                foreach (var entry in ((YamlMapping)source).Entries)
                {
                    if (((YamlMapping)Node).TryAdd(entry.Key, entry.Value, out _))
                    {
                        composer.Count(Node);
                    }

                    if (Node.Size > composer._limits.MaxExpandedNodes)
                    {
                        throw Limit(Node, $"with its merged mappings written out, this has more than the {composer._limits.MaxExpandedNodes:N0} nodes allowed");
                    }
                }
            }
        }

        private void Merge(YamlScalar key, YamlNode value, YamlComposer composer)
        {
            IReadOnlyList<YamlNode> sources = value is YamlSequence list ? list.Items : [value];
            foreach (var source in sources)
            {
                if (source is YamlMapping)
                {
                    _merged.Add(source);
                }
                else
                {
                    composer.Problem(key, "<< merges mappings: its value must be a mapping, an alias of one, or a list of these");
                }
            }
        }
    }
}
