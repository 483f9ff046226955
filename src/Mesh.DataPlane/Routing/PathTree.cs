using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Routing;

/// <summary>A radix tree of paths: one walk along a path meets every prefix of it that a route names.</summary>
internal sealed class PathTree
{
    private readonly Node _root;
    private readonly bool _foldCase;

    private PathTree(Node root, bool foldCase)
    {
        _root = root;
        _foldCase = foldCase;
    }

    public static PathTree? Build(IEnumerable<RouteEntry> routes, bool foldCase)
    {
        var byPath = routes.GroupBy(r => foldCase ? Fold(r.Match.Path.Text) : r.Match.Path.Text, StringComparer.Ordinal)
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => (Path: g.Key, Routes: g.ToArray()))
            .ToArray();
        return byPath.Length == 0 ? null : new PathTree(BuildNode(byPath, depth: 0, edgeStart: 0), foldCase);
    }

    /// <summary>Adds the candidates for a path, in the order of ever longer prefixes.</summary>
    /// <returns><see langword="false"/> when there are more lists than cursors.</returns>
    public bool Collect(ReadOnlySpan<char> path, ref PathIndex.Cursors cursors, ref int count)
    {
        var node = _root;
        var position = 0;
        while (true)
        {
            if (node.Prefix.Length > 0 && !PathIndex.Add(ref cursors, ref count, node.Prefix))
            {
                return false;
            }

            if (node.Separated.Length > 0
                && (position == path.Length || path[position] == '/')
                && !PathIndex.Add(ref cursors, ref count, node.Separated))
            {
                return false;
            }

            if (position == path.Length)
            {
                return node.Exact.Length == 0 || PathIndex.Add(ref cursors, ref count, node.Exact);
            }

            var child = node.FirstCharacters.AsSpan().IndexOf(_foldCase ? AsciiCase.Lower(path[position]) : path[position]);
            if (child < 0)
            {
                return true;
            }

            node = node.Children[child];
            var edge = node.Edge;
            var rest = path[position..];
            if (rest.Length < edge.Length || !(_foldCase ? AsciiCase.Equals(rest[..edge.Length], edge) : rest[..edge.Length].SequenceEqual(edge)))
            {
                return true;
            }

            position += edge.Length;
        }
    }

    // The paths are sorted, all share their first `depth` characters, and the node's own edge began at `edgeStart`.
    private static Node BuildNode(ReadOnlySpan<(string Path, RouteEntry[] Routes)> paths, int depth, int edgeStart)
    {
        // Sorted: what the first and the last have in common, all have.
        var first = paths[0].Path;
        var common = depth + first.AsSpan(depth).CommonPrefixLength(paths[^1].Path.AsSpan(depth));
        if (edgeStart == 0 && depth == 0)
        {
            common = 0; // The root stands for the empty prefix.
        }

        RouteEntry[] own = [];
        var rest = paths;
        if (first.Length == common)
        {
            own = paths[0].Routes;
            rest = paths[1..];
        }

        var characters = new List<char>();
        var children = new List<Node>();
        while (!rest.IsEmpty)
        {
            var character = rest[0].Path[common];
            var end = 1;
            while (end < rest.Length && rest[end].Path[common] == character)
            {
                end++;
            }

            characters.Add(character);
            children.Add(BuildNode(rest[..end], common + 1, common));
            rest = rest[end..];
        }

        return new Node(
            first[edgeStart..common],
            Of(PathMatchKind.Exact),
            Of(PathMatchKind.Prefix),
            Of(PathMatchKind.PathSeparatedPrefix),
            new string([.. characters]),
            [.. children]);

        RouteEntry[] Of(PathMatchKind kind) => [.. own.Where(r => r.Match.Path.Kind == kind).OrderBy(r => r.Index)];
    }

    private static string Fold(string text) => string.Create(text.Length, text, static (folded, source) =>
    {
        for (var i = 0; i < source.Length; i++)
        {
            folded[i] = AsciiCase.Lower(source[i]);
        }
    });

    private sealed record Node(
        string Edge,
        RouteEntry[] Exact,
        RouteEntry[] Prefix,
        RouteEntry[] Separated,
        string FirstCharacters,
        Node[] Children);
}
