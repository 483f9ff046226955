namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Keys of which a request must have one, and how many policies a request that has them is held against.</summary>
internal sealed record RbacKeySet(IReadOnlyList<RbacKey> Keys, int Cost)
{
    // Beyond that a policy lies in so many places that looking at it every time is no worse.
    private const int MaxKeys = 256;

    public static RbacKeySet? Cheapest(IEnumerable<RbacKeySet?> sets)
    {
        RbacKeySet? best = null;
        foreach (var set in sets)
        {
            if (set is not null && (best is null || set.Cost < best.Cost))
            {
                best = set;
            }
        }

        return best;
    }

    public static RbacKeySet? Union(IEnumerable<RbacKeySet?> sets)
    {
        var keys = new HashSet<RbacKey>();
        var cost = 0;
        foreach (var set in sets)
        {
            if (set is null)
            {
                return null;
            }

            keys.UnionWith(set.Keys);
            cost = Math.Max(cost, set.Cost);
        }

        return keys.Count > MaxKeys ? null : new RbacKeySet([.. keys], cost);
    }
}
