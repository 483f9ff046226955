using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>
/// Finds the first policy, by name, that matches, without looking at those that cannot: each hangs at a name, a path, a method or another header that a
/// request must have for it. What cannot be hung up anywhere is looked at every time.
/// </summary>
internal sealed class RbacIndex
{
    private readonly RbacPolicy[] _policies;
    private readonly int[] _others;
    private readonly Trees _principals;
    private readonly Trees _paths;
    private readonly (HeaderName Name, Trees Trees)[] _headers;

    /// <param name="policies">In the order of their names.</param>
    public RbacIndex(RbacPolicy[] policies)
    {
        _policies = policies;
        var costs = new RbacKeyCosts();
        foreach (var policy in policies)
        {
            policy.AddKeys(costs);
        }

        var others = new List<int>();
        var keys = new List<(RbacKey Key, int Policy)>();
        for (var i = 0; i < policies.Length; i++)
        {
            if (policies[i].Keys(costs) is { } set)
            {
                keys.AddRange(set.Keys.Select(k => (k, i)));
            }
            else
            {
                others.Add(i);
            }
        }

        _others = [.. others];
        _principals = new Trees(keys.Where(k => k.Key.Kind == RbacKeyKind.Principal));
        _paths = new Trees(keys.Where(k => k.Key.Kind == RbacKeyKind.Path));
        _headers = [.. keys.Where(k => k.Key.Kind == RbacKeyKind.Header).GroupBy(k => k.Key.Header, StringComparer.Ordinal)
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => (new HeaderName(g.Key), new Trees(g)))];
    }

    /// <summary>All of them, in their order.</summary>
    public IEnumerable<RbacPolicy> All => _policies;

    /// <summary>How many policies are looked at for every request.</summary>
    public int Unindexed => _others.Length;

    /// <returns><see langword="null"/> when none matches.</returns>
    public RbacPolicy? Find(scoped in RbacRequest request)
    {
        var best = _policies.Length;
        if (!_principals.IsEmpty && request.Connection is { IsTls: true } connection)
        {
            for (var i = 0; i < connection.UriNames.Count; i++)
            {
                Find(_principals, connection.UriNames[i], request, ref best);
            }

            for (var i = 0; i < connection.DnsNames.Count; i++)
            {
                Find(_principals, connection.DnsNames[i], request, ref best);
            }

            Find(_principals, connection.Subject, request, ref best);
        }

        if (request.IsHttp)
        {
            if (!_paths.IsEmpty)
            {
                Find(_paths, request.View.Path, request, ref best);
            }

            foreach (var (name, trees) in _headers)
            {
                Find(name, trees, request, ref best);
            }
        }

        Find(_others, request, ref best);
        return best == _policies.Length ? null : _policies[best];
    }

    // Every reading that a rule may look at; see HeaderRule.
    private void Find(HeaderName name, Trees trees, scoped in RbacRequest request, ref int best)
    {
        var count = 0;
        for (; request.View.TryGetHeaderLine(name, count, out var line); count++)
        {
            Find(trees, line, request, ref best);
        }

        if (count > 1 && request.View.TryGetHeader(name, out var joined))
        {
            Find(trees, joined, request, ref best);
        }

        if (HeaderRule.OtherReading(request, name.Pseudo) is { } other)
        {
            Find(trees, other, request, ref best);
        }
    }

    private void Find(Trees trees, ReadOnlySpan<char> text, scoped in RbacRequest request, ref int best)
    {
        if (trees.AsWritten is { } asWritten)
        {
            foreach (var places in asWritten.Find(text))
            {
                Find(places, request, ref best);
            }
        }

        if (trees.Folded is { } folded)
        {
            foreach (var places in folded.Find(text))
            {
                Find(places, request, ref best);
            }
        }
    }

    private void Find(int[] places, scoped in RbacRequest request, ref int best)
    {
        foreach (var place in places)
        {
            if (place >= best)
            {
                return;
            }

            if (_policies[place].IsMatch(request))
            {
                best = place;
                return;
            }
        }
    }

    private readonly struct Trees(IEnumerable<(RbacKey Key, int Policy)> keys)
    {
        public RbacKeyTree? AsWritten { get; } = RbacKeyTree.Build(keys, ignoreCase: false);

        public RbacKeyTree? Folded { get; } = RbacKeyTree.Build(keys, ignoreCase: true);

        public bool IsEmpty => AsWritten is null && Folded is null;
    }
}
