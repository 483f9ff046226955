namespace Mesh.DataPlane.Matching.Re2;

/// <summary>One node of a parsed pattern. Literals are sets of one code point; case folding is already part of the set.</summary>
internal sealed class Re2Node
{
    /// <summary>The maximum of a repeat without one.</summary>
    public const int Unbounded = -1;

    private Re2Node(Re2NodeKind kind, params Re2Node[] children)
    {
        Kind = kind;
        Children = children;
        foreach (var child in children)
        {
            Depth = Math.Max(Depth, child.Depth + 1);
            Copies = Math.Max(Copies, child.Copies);
        }
    }

    public Re2NodeKind Kind { get; }

    public CodePointSet Set { get; private init; } = CodePointSet.Empty;

    public Re2Node[] Children { get; }

    /// <summary>Levels below this node.</summary>
    public int Depth { get; }

    public int Min { get; private init; }

    public int Max { get; private init; }

    public bool Lazy { get; private init; }

    /// <summary>Number of a capturing group, from 1.</summary>
    public int Group { get; private init; }

    /// <summary>Product of the counted repetitions above the innermost node; RE2 refuses more than 1,000 copies.</summary>
    public int Copies { get; private init; } = 1;

    public static Re2Node Simple(Re2NodeKind kind) => new(kind);

    public static Re2Node OfSet(CodePointSet set) => new(Re2NodeKind.Set) { Set = set };

    public static Re2Node Capture(Re2Node child, int group) => new(Re2NodeKind.Capture, child) { Group = group };

    /// <summary><c>*</c>, <c>+</c> and <c>?</c>, which do not count as copies.</summary>
    public static Re2Node Loop(Re2Node child, int min, int max, bool lazy) =>
        new(Re2NodeKind.Repeat, child) { Min = min, Max = max, Lazy = lazy };

    /// <summary><c>{n}</c>, <c>{n,}</c> and <c>{n,m}</c>.</summary>
    public static Re2Node Counted(Re2Node child, int min, int max, bool lazy)
    {
        var factor = Math.Max(max == Unbounded ? min : max, 1);
        return new(Re2NodeKind.Repeat, child)
        {
            Min = min,
            Max = max,
            Lazy = lazy,
            Copies = (int)Math.Min((long)child.Copies * factor, int.MaxValue),
        };
    }

    public static Re2Node Concatenation(List<Re2Node> children) => Collapse(Re2NodeKind.Concatenation, children);

    public static Re2Node Alternation(List<Re2Node> children) => Collapse(Re2NodeKind.Alternation, children);

    private static Re2Node Collapse(Re2NodeKind kind, List<Re2Node> children) => children.Count switch
    {
        0 => Simple(Re2NodeKind.Empty),
        1 => children[0],
        _ => new(kind, children.ToArray()),
    };
}
