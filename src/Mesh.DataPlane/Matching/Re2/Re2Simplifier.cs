namespace Mesh.DataPlane.Matching.Re2;

/// <summary>
/// Rewrites a tree to a plainer one that accepts the same texts, for questions whose answer is yes or no: no captures, no laziness, no loops around
/// what may be empty. .NET's engine answers wrongly for some of those (<c>(?:a||b){2,}</c> does not match the empty text).
/// </summary>
internal static class Re2Simplifier
{
    private static readonly Re2Node Empty = Re2Node.Simple(Re2NodeKind.Empty);

    public static Re2Node Simplify(Re2Node node) => node.Kind switch
    {
        Re2NodeKind.Capture => Simplify(node.Children[0]),
        Re2NodeKind.Concatenation => Re2Node.Concatenation(Meaningful(node)),
        Re2NodeKind.Alternation => Alternation(node),
        Re2NodeKind.Repeat => Repeat(Simplify(node.Children[0]), node.Min, node.Max),
        _ => node,
    };

    private static List<Re2Node> Meaningful(Re2Node node)
    {
        var children = new List<Re2Node>(node.Children.Length);
        foreach (var child in node.Children)
        {
            if (Simplify(child) is { Kind: not Re2NodeKind.Empty } simple)
            {
                children.Add(simple);
            }
        }

        return children;
    }

    private static Re2Node Alternation(Re2Node node)
    {
        var branches = Meaningful(node);
        var alternation = Re2Node.Alternation(branches);
        return branches.Count == node.Children.Length ? alternation : Repeat(alternation, 0, 1);
    }

    private static Re2Node Repeat(Re2Node body, int min, int max)
    {
        if (max == 0 || body.Kind == Re2NodeKind.Empty)
        {
            return Empty;
        }

        // Assertions hold or do not, however often they are asked at one place.
        if (IsZeroWidth(body))
        {
            return min == 0 ? Empty : body;
        }

        if (min == 1 && max == 1)
        {
            return body;
        }

        if (AcceptsEmpty(body))
        {
            min = 0;
            if (body is { Kind: Re2NodeKind.Repeat, Min: 0, Max: Re2Node.Unbounded })
            {
                return body;
            }

            if (body is { Kind: Re2NodeKind.Repeat, Min: 0, Max: 1 })
            {
                return Repeat(body.Children[0], 0, max);
            }
        }

        return Re2Node.Loop(body, min, max, lazy: false);
    }

    /// <summary>Whether the node consists of assertions alone.</summary>
    public static bool IsZeroWidth(Re2Node node) => node.Kind switch
    {
        Re2NodeKind.Set => false,
        Re2NodeKind.Concatenation or Re2NodeKind.Alternation or Re2NodeKind.Repeat or Re2NodeKind.Capture => node.Children.All(IsZeroWidth),
        _ => true,
    };

    /// <summary>Whether the node can match the empty text at some place; assertions count.</summary>
    public static bool MayBeEmpty(Re2Node node) => node.Kind switch
    {
        Re2NodeKind.Set => false,
        Re2NodeKind.Repeat => node.Min == 0 || MayBeEmpty(node.Children[0]),
        Re2NodeKind.Concatenation or Re2NodeKind.Capture => node.Children.All(MayBeEmpty),
        Re2NodeKind.Alternation => node.Children.Any(MayBeEmpty),
        _ => true,
    };

    private static bool AcceptsEmpty(Re2Node node) => node.Kind switch
    {
        Re2NodeKind.Empty => true,
        Re2NodeKind.Repeat => node.Min == 0 || AcceptsEmpty(node.Children[0]),
        Re2NodeKind.Concatenation => node.Children.All(AcceptsEmpty),
        Re2NodeKind.Alternation => node.Children.Any(AcceptsEmpty),
        _ => false,
    };
}
