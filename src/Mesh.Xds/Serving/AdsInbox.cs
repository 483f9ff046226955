namespace Mesh.Xds.Serving;

/// <summary>What pushes have marked on one connection since its writer last looked: one mark per kind, whatever the number of pushes.</summary>
/// <remarks>Its lock is a leaf: a push may come from within another connection's backend call.</remarks>
internal sealed class AdsInbox
{
    /// <summary>Beyond this many changed names of a kind it is cheaper to look at all of them.</summary>
    private const int MaxNames = 1_000;

    private readonly Lock _gate = new();
    private Dictionary<string, IReadOnlySet<string>?> _changed = new(StringComparer.Ordinal);
    private List<Func<IAdsNodeView, bool>> _everythingFor = [];
    private readonly TimeProvider _time;
    private long _epoch;
    private long? _since;

    public AdsInbox(long epoch, TimeProvider time)
    {
        _epoch = epoch;
        _time = time;
    }

    public void Add(AdsChange change, long epoch)
    {
        lock (_gate)
        {
            _epoch = epoch;
            _since ??= _time.GetTimestamp();
            if (change.EverythingFor is { } concerns)
            {
                _everythingFor.Add(concerns);
            }

            foreach (var (typeUrl, names) in change.ByType)
            {
                _changed[typeUrl] = _changed.TryGetValue(typeUrl, out var earlier) ? Merge(earlier, names) : names;
            }
        }
    }

    /// <summary>Takes the marks away.</summary>
    /// <returns>
    /// The latest push, what changed by kind (<see langword="null"/>: any name), the questions whether for this node everything did, and the
    /// timestamp of the first push since the last look.
    /// </returns>
    public (long Epoch, IReadOnlyDictionary<string, IReadOnlySet<string>?> Changed, IReadOnlyList<Func<IAdsNodeView, bool>> EverythingFor, long? Since) Take()
    {
        lock (_gate)
        {
            var taken = (_epoch, _changed, _everythingFor, _since);
            _since = null;
            if (_changed.Count > 0)
            {
                _changed = new Dictionary<string, IReadOnlySet<string>?>(StringComparer.Ordinal);
            }

            if (_everythingFor.Count > 0)
            {
                _everythingFor = [];
            }

            return taken;
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
