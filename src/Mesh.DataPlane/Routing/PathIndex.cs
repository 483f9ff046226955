using System.Runtime.CompilerServices;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Routing;

/// <summary>
/// Finds the first matching route without comparing each: exact and prefix paths hang in two radix trees (as written, and folded to lower
/// case), everything else in one ordered list. The candidates of one path are a few ordered lists, merged lazily, so that the order decides.
/// </summary>
internal sealed class PathIndex
{
    private const int MaxLists = 12;

    private readonly RouteEntry[] _routes;
    private readonly RouteEntry[] _unindexed;
    private readonly PathTree? _asWritten;
    private readonly PathTree? _folded;

    public PathIndex(RouteEntry[] routes)
    {
        _routes = routes;
        _unindexed = [.. routes.Where(r => r.IsUnindexed)];
        _asWritten = PathTree.Build(routes.Where(r => r.Match.Path is { Kind: not PathMatchKind.Regex, CaseSensitive: true }), foldCase: false);
        _folded = PathTree.Build(routes.Where(r => r.Match.Path is { Kind: not PathMatchKind.Regex, CaseSensitive: false }), foldCase: true);
    }

    public RouteEntry? Match(scoped in RequestView request, ulong draw)
    {
        var cursors = default(Cursors);
        var count = 0;

        if ((_asWritten is not null && !_asWritten.Collect(request.Path, ref cursors, ref count))
            || (_folded is not null && !_folded.Collect(request.Path, ref cursors, ref count))
            || (_unindexed.Length > 0 && !Add(ref cursors, ref count, _unindexed, 0, _unindexed.Length)))
        {
            // More prefixes of one path than cursors: slower, never wrong.
            return MatchInOrder(request, draw);
        }

        while (true)
        {
            var best = -1;
            var bestIndex = int.MaxValue;
            for (var i = 0; i < count; i++)
            {
                ref var cursor = ref cursors[i];
                if (cursor.Next < cursor.End && cursor.Routes[cursor.Next].Index < bestIndex)
                {
                    best = i;
                    bestIndex = cursor.Routes[cursor.Next].Index;
                }
            }

            if (best < 0)
            {
                return null;
            }

            var route = cursors[best].Routes[cursors[best].Next++];
            if ((!route.IsUnindexed || route.Match.Path.IsMatch(request.Path))
                && (route.Conditions is not { } conditions || conditions.IsMatch(request, draw)))
            {
                return route;
            }
        }
    }

    internal static bool Add(ref Cursors cursors, ref int count, RouteEntry[] routes, int start, int length)
    {
        if (count == MaxLists)
        {
            return false;
        }

        cursors[count++] = new Cursor { Routes = routes, Next = start, End = start + length };
        return true;
    }

    private RouteEntry? MatchInOrder(scoped in RequestView request, ulong draw)
    {
        foreach (var route in _routes)
        {
            if (route.Match.Path.IsMatch(request.Path) && route.Match.Conditions.IsMatch(request, draw))
            {
                return route;
            }
        }

        return null;
    }

    internal struct Cursor
    {
        public RouteEntry[] Routes;
        public int Next;
        public int End;
    }

    [InlineArray(MaxLists)]
    internal struct Cursors
    {
        private Cursor _first;
    }
}
