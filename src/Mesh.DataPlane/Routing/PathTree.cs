using System.Runtime.InteropServices;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Routing;

/// <summary>
/// A radix tree of paths: one walk along a path meets every prefix of it that a route names. Nodes lie level by level in one array, children side
/// by side, so that ten thousand routes cost a few cache lines more than ten, not a pointer chase.
/// </summary>
internal sealed class PathTree
{
    private readonly Node[] _nodes;
    private readonly char[] _firsts;
    private readonly char[] _edges;
    private readonly RouteEntry[] _routes;
    private readonly bool _foldCase;

    private PathTree(Builder builder, bool foldCase)
    {
        _nodes = [.. builder.Nodes];
        _firsts = [.. builder.Firsts];
        _edges = [.. builder.Edges];
        _routes = [.. builder.Routes];
        _foldCase = foldCase;
    }

    public static PathTree? Build(IEnumerable<RouteEntry> routes, bool foldCase)
    {
        var byPath = routes.GroupBy(r => foldCase ? Fold(r.Match.Path.Text) : r.Match.Path.Text, StringComparer.Ordinal)
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new PathRoutes(g.Key, [.. g]))
            .ToArray();
        return byPath.Length == 0 ? null : new PathTree(new Builder(byPath), foldCase);
    }

    /// <summary>Adds the candidates for a path, in the order of ever longer prefixes.</summary>
    /// <returns><see langword="false"/> when there are more lists than cursors.</returns>
    public bool Collect(ReadOnlySpan<char> path, ref PathIndex.Cursors cursors, ref int count)
    {
        ref readonly var node = ref _nodes[0];
        var position = 0;
        while (true)
        {
            if (node.Prefix > 0 && !PathIndex.Add(ref cursors, ref count, _routes, node.Routes, node.Prefix))
            {
                return false;
            }

            if (node.Separated > 0
                && (position == path.Length || path[position] == '/')
                && !PathIndex.Add(ref cursors, ref count, _routes, node.Routes + node.Prefix, node.Separated))
            {
                return false;
            }

            if (position == path.Length)
            {
                return node.Exact == 0 || PathIndex.Add(ref cursors, ref count, _routes, node.Routes + node.Prefix + node.Separated, node.Exact);
            }

            var child = _firsts.AsSpan(node.Children, node.ChildCount).IndexOf(_foldCase ? AsciiCase.Lower(path[position]) : path[position]);
            if (child < 0)
            {
                return true;
            }

            node = ref _nodes[node.Children + child];
            position++;
            if (node.EdgeLength == 0)
            {
                continue;
            }

            var rest = path[position..];
            var edge = _edges.AsSpan(node.Edge, node.EdgeLength);
            if (rest.Length < edge.Length || !(_foldCase ? AsciiCase.Equals(rest[..edge.Length], edge) : rest[..edge.Length].SequenceEqual(edge)))
            {
                return true;
            }

            position += edge.Length;
        }
    }

    private static string Fold(string text) => string.Create(text.Length, text, static (folded, source) =>
    {
        for (var i = 0; i < source.Length; i++)
        {
            folded[i] = AsciiCase.Lower(source[i]);
        }
    });

    private readonly record struct PathRoutes(string Path, RouteEntry[] Routes);

    [StructLayout(LayoutKind.Auto)]
    private struct Node
    {
        /// <summary>What follows the node's first character, up to where it branches or a route ends.</summary>
        public int Edge;
        public int EdgeLength;
        public int Children;
        public int ChildCount;

        /// <summary>Where the node's routes begin: those by prefix, by separated prefix, and exact ones, so many of each.</summary>
        public int Routes;
        public int Prefix;
        public int Separated;
        public int Exact;
    }

    /// <summary>Lays the tree out level by level from sorted paths: what the first and the last of a range have in common, all of it have.</summary>
    private sealed class Builder
    {
        private readonly Dictionary<string, int> _edges = new(StringComparer.Ordinal);

        public Builder(PathRoutes[] paths)
        {
            var pending = new Queue<(int Node, int Start, int End, int Depth)>();
            Nodes.Add(default);
            Firsts.Add('\0');
            pending.Enqueue((0, 0, paths.Length, 0));
            while (pending.TryDequeue(out var range))
            {
                var (index, start, end, depth) = range;
                var first = paths[start].Path;

                // The root stands for the empty prefix; every other node runs as far as its paths agree.
                var common = index == 0 ? 0 : depth + first.AsSpan(depth).CommonPrefixLength(paths[end - 1].Path.AsSpan(depth));
                var node = new Node { Edge = AddEdge(first[depth..common]), EdgeLength = common - depth, Children = Nodes.Count, Routes = Routes.Count };
                if (first.Length == common)
                {
                    var own = paths[start++].Routes;
                    node.Prefix = AddRoutes(own, PathMatchKind.Prefix);
                    node.Separated = AddRoutes(own, PathMatchKind.PathSeparatedPrefix);
                    node.Exact = AddRoutes(own, PathMatchKind.Exact);
                }

                while (start < end)
                {
                    var character = paths[start].Path[common];
                    var next = start + 1;
                    while (next < end && paths[next].Path[common] == character)
                    {
                        next++;
                    }

                    pending.Enqueue((Nodes.Count, start, next, common + 1));
                    Nodes.Add(default);
                    Firsts.Add(character);
                    node.ChildCount++;
                    start = next;
                }

                Nodes[index] = node;
            }
        }

        public List<Node> Nodes { get; } = [];

        public List<char> Firsts { get; } = [];

        public List<char> Edges { get; } = [];

        public List<RouteEntry> Routes { get; } = [];

        // Thousands of paths end alike: /details, /items.
        private int AddEdge(string edge)
        {
            if (!_edges.TryGetValue(edge, out var start))
            {
                start = Edges.Count;
                Edges.AddRange(edge);
                _edges.Add(edge, start);
            }

            return start;
        }

        private int AddRoutes(RouteEntry[] routes, PathMatchKind kind)
        {
            var before = Routes.Count;
            Routes.AddRange(routes.Where(r => r.Match.Path.Kind == kind).OrderBy(r => r.Index));
            return Routes.Count - before;
        }
    }
}
