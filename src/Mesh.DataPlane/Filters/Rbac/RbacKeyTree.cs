using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>A radix tree of texts and prefixes: one walk along a text meets every key that it fits, whatever their number.</summary>
internal sealed class RbacKeyTree
{
    private readonly Node _root;
    private readonly bool _ignoreCase;

    private RbacKeyTree(Node root, bool ignoreCase) => (_root, _ignoreCase) = (root, ignoreCase);

    /// <param name="keys">The keys, with the places of the policies that are found by them.</param>
    /// <param name="ignoreCase">Whether the case of ASCII letters does not count.</param>
    /// <returns><see langword="null"/> when there is none.</returns>
    public static RbacKeyTree? Build(IEnumerable<(RbacKey Key, int Policy)> keys, bool ignoreCase)
    {
        var texts = keys.Where(k => k.Key.IgnoreCase == ignoreCase)
            .GroupBy(k => ignoreCase ? Fold(k.Key.Text) : k.Key.Text, StringComparer.Ordinal)
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new Entry(g.Key, Places(g, prefix: false), Places(g, prefix: true)))
            .ToArray();
        return texts.Length == 0 ? null : new RbacKeyTree(Node.Build(texts, 0, isRoot: true), ignoreCase);

        static int[] Places(IEnumerable<(RbacKey Key, int Policy)> keys, bool prefix)
            => [.. keys.Where(k => k.Key.IsPrefix == prefix).Select(k => k.Policy).Distinct().Order()];
    }

    /// <summary>The places of the policies that a text finds, list by list, each in order.</summary>
    public Hits Find(ReadOnlySpan<char> text) => new(_root, text, _ignoreCase);

    private static string Fold(string text) => string.Create(text.Length, text, static (folded, source) =>
    {
        for (var i = 0; i < source.Length; i++)
        {
            folded[i] = AsciiCase.Lower(source[i]);
        }
    });

    /// <summary>A walk along one text.</summary>
    internal ref struct Hits
    {
        private readonly ReadOnlySpan<char> _text;
        private readonly bool _ignoreCase;
        private Node? _node;
        private int _position;
        private bool _isEntered;

        public Hits(Node root, ReadOnlySpan<char> text, bool ignoreCase)
        {
            _node = root;
            _text = text;
            _ignoreCase = ignoreCase;
            Current = [];
        }

        public int[] Current { get; private set; }

        public readonly Hits GetEnumerator() => this;

        public bool MoveNext()
        {
            while (_node is not null)
            {
                if (!_isEntered)
                {
                    _isEntered = true;
                    if (_node.Prefix.Length > 0)
                    {
                        Current = _node.Prefix;
                        return true;
                    }
                }

                var isEnd = _position == _text.Length;
                Current = isEnd ? _node.Exact : [];
                _node = isEnd ? null : Next(_node);
                _isEntered = false;
                if (Current.Length > 0)
                {
                    return true;
                }
            }

            return false;
        }

        private Node? Next(Node node)
        {
            var first = _ignoreCase ? AsciiCase.Lower(_text[_position]) : _text[_position];
            var index = node.Firsts.AsSpan().IndexOf(first);
            if (index < 0)
            {
                return null;
            }

            var child = node.Children[index];
            var rest = _text[_position..];
            if (rest.Length < child.Edge.Length)
            {
                return null;
            }

            rest = rest[..child.Edge.Length];
            if (!(_ignoreCase ? AsciiCase.Equals(rest, child.Edge) : rest.SequenceEqual(child.Edge)))
            {
                return null;
            }

            _position += child.Edge.Length;
            return child;
        }
    }

    /// <param name="Edge">The text from the node above to here.</param>
    /// <param name="Exact">The policies of the text that ends here.</param>
    /// <param name="Prefix">The policies of the prefix that ends here.</param>
    /// <param name="Firsts">The first characters of what follows.</param>
    /// <param name="Children">What follows.</param>
    internal sealed record Node(string Edge, int[] Exact, int[] Prefix, char[] Firsts, Node[] Children)
    {
        // Sorted texts: what the first and the last of a range have in common, all of it have.
        public static Node Build(ReadOnlySpan<Entry> entries, int depth, bool isRoot = false)
        {
            var first = entries[0].Text;
            var common = isRoot ? 0 : depth + first.AsSpan(depth).CommonPrefixLength(entries[^1].Text.AsSpan(depth));
            var edge = first[depth..common];
            Entry? own = first.Length == common ? entries[0] : null;
            if (own is not null)
            {
                entries = entries[1..];
            }

            var firsts = new List<char>();
            var children = new List<Node>();
            while (!entries.IsEmpty)
            {
                var character = entries[0].Text[common];
                var count = 1;
                while (count < entries.Length && entries[count].Text[common] == character)
                {
                    count++;
                }

                firsts.Add(character);
                children.Add(Build(entries[..count], common));
                entries = entries[count..];
            }

            return new Node(edge, own?.Exact ?? [], own?.Prefix ?? [], [.. firsts], [.. children]);
        }
    }

    internal sealed record Entry(string Text, int[] Exact, int[] Prefix);
}
