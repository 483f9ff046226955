namespace Mesh.Xds.Serving;

/// <summary>What pushes have marked on one connection since its writer last looked: one mark per kind, whatever the number of pushes.</summary>
/// <remarks>Its lock is a leaf: a push may come from within another connection's backend call.</remarks>
internal sealed class AdsInbox
{
    /// <summary>Beyond this many changed names of a kind it is cheaper to look at all of them.</summary>
    private const int MaxNames = 1_000;

    private readonly Lock _gate = new();
    private Dictionary<string, IReadOnlySet<string>?> _changed = new(StringComparer.Ordinal);
    private long _epoch;

    public AdsInbox(long epoch)
    {
        _epoch = epoch;
    }

    public void Add(AdsChange change, long epoch)
    {
        lock (_gate)
        {
            _epoch = epoch;
            foreach (var (typeUrl, names) in change.ByType)
            {
                _changed[typeUrl] = _changed.TryGetValue(typeUrl, out var earlier) ? Merge(earlier, names) : names;
            }
        }
    }

    /// <summary>Takes the marks away.</summary>
    /// <returns>The latest push, and what changed by kind (<see langword="null"/>: any name).</returns>
    public (long Epoch, IReadOnlyDictionary<string, IReadOnlySet<string>?> Changed) Take()
    {
        lock (_gate)
        {
            if (_changed.Count == 0)
            {
                return (_epoch, _changed);
            }

            var taken = _changed;
            _changed = new Dictionary<string, IReadOnlySet<string>?>(StringComparer.Ordinal);
            return (_epoch, taken);
        }
    }

    private static IReadOnlySet<string>? Merge(IReadOnlySet<string>? earlier, IReadOnlySet<string>? names)
    {
        if (earlier is null || names is null || earlier.Count + names.Count > MaxNames)
        {
            return null;
        }

        var merged = new HashSet<string>(earlier, StringComparer.Ordinal);
        merged.UnionWith(names);
        return merged;
    }
}
