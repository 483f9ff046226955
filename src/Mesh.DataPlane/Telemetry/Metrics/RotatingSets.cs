using System.Collections.Concurrent;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>
/// Label sets by what tells them apart, bounded in number: those that find no place are counted together. Where it is asked for, sets that nobody has
/// counted in for a whole interval are taken away.
/// </summary>
/// <typeparam name="TKey">What tells them apart.</typeparam>
/// <typeparam name="TSet">The cells of one.</typeparam>
/// <param name="name">What is said to have been too many.</param>
/// <param name="limit">How many there may be.</param>
/// <param name="interval">After how long unused ones are given up; zero for never.</param>
/// <param name="grace">How much longer they are shown.</param>
/// <param name="time">The clock.</param>
/// <param name="bind">Finds the cells of a set.</param>
/// <param name="collapse">The one that stands for those that found no place.</param>
/// <param name="remove">Takes the cells away.</param>
internal sealed class RotatingSets<TKey, TSet>(
    string name, CardinalityLimit limit, TimeSpan interval, TimeSpan grace, TimeProvider time, Func<TKey, TSet> bind, Func<TKey, TKey> collapse, Action<TSet> remove)
    where TKey : struct, IEquatable<TKey>
    where TSet : class
{
    // Statuses, flags and protocols: few, and made by nobody at will.
    private const int MaxCollapsed = 512;

    private readonly ConcurrentDictionary<TKey, TSet> _collapsed = new();
    private readonly Lock _sync = new();
    private ConcurrentDictionary<TKey, TSet> _current = new();
    private ConcurrentDictionary<TKey, TSet>? _earlier;
    private long _rotated = time.GetTimestamp();
    private int _count;
    private TSet? _rest;

    /// <summary>The cells of a set.</summary>
    public TSet Find(in TKey key) => Volatile.Read(ref _current).TryGetValue(key, out var set) ? set : Add(key);

    /// <summary>Begins another interval when one is over, and takes away what has not been counted in during the last.</summary>
    public void Rotate()
    {
        if (interval == TimeSpan.Zero)
        {
            return;
        }

        lock (_sync)
        {
            var age = time.GetElapsedTime(_rotated);
            if (_earlier is { } earlier && age >= grace)
            {
                _earlier = null;
                foreach (var (key, set) in earlier)
                {
                    if (!_current.ContainsKey(key))
                    {
                        remove(set);
                    }
                }

                _count = _current.Count;
            }

            if (age >= interval)
            {
                _earlier = _current;
                Volatile.Write(ref _current, new ConcurrentDictionary<TKey, TSet>());
                _rotated = time.GetTimestamp();
            }
        }
    }

    private TSet Add(TKey key)
    {
        Rotate();
        lock (_sync)
        {
            if (_current.TryGetValue(key, out var set))
            {
                return set;
            }

            if (_earlier?.TryGetValue(key, out set) == true)
            {
                return _current[key] = set;
            }

            if (_count < limit.MaxCells)
            {
                _count++;
                return _current[key] = bind(key);
            }
        }

        limit.Count(name);
        return Collapsed(collapse(key));
    }

    private TSet Collapsed(TKey key)
    {
        if (_collapsed.TryGetValue(key, out var set))
        {
            return set;
        }

        lock (_sync)
        {
            return _collapsed.TryGetValue(key, out set) ? set
                : _collapsed.Count < MaxCollapsed ? _collapsed[key] = bind(key)
                : _rest ??= bind(key);
        }
    }
}
