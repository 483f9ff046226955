using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Mesh.Xds.Metrics;

/// <summary>A family whose label sets are cells that somebody adds to.</summary>
/// <typeparam name="TCell">The cell.</typeparam>
internal abstract class CellFamily<TCell> : MetricFamily
    where TCell : MetricCell
{
    // One writer at a time; cells are found once and kept, so looking up is no hot path, but it is free of locks all the same.
    private readonly ConcurrentDictionary<string[], TCell> _cells = new(LabelValuesComparer.Instance);
    private readonly ConcurrentDictionary<string[], TCell>.AlternateLookup<ReadOnlySpan<string>> _lookup;
    private readonly CardinalityLimit _limit;
    private readonly Lock _adding = new();
    private int _count;

    private protected CellFamily(MetricDescription description, CardinalityLimit limit)
        : base(description)
    {
        _limit = limit;
        _lookup = _cells.GetAlternateLookup<ReadOnlySpan<string>>();
    }

    /// <summary>How many label sets there are.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>
    /// The cell of a label set. When the family has as many label sets as it may have, it is the one cell of all others, whose every value is
    /// <see cref="CardinalityLimit.OverflowValue"/>, and <see cref="CardinalityLimit.Metric"/> counts that.
    /// </summary>
    /// <param name="values">As many as the family has labels. Kept as they are; values of strangers are to be bounded in length by the caller.</param>
    public TCell Cell(params ReadOnlySpan<string> values) => TryCell(out var cell, values) ? cell : Overflow();

    /// <summary>The cell of a label set, unless the family is full.</summary>
    /// <param name="cell">The cell.</param>
    /// <param name="values">As many as the family has labels.</param>
    public bool TryCell([NotNullWhen(true)] out TCell? cell, params ReadOnlySpan<string> values)
    {
        if (_lookup.TryGetValue(values, out cell))
        {
            return true;
        }

        if (values.Length != Labels.Length)
        {
            throw new ArgumentException($"{Name} has {Labels.Length} labels, not {values.Length}");
        }

        return TryAdd(values.ToArray(), Description.MaxCells ?? _limit.MaxCells, out cell);
    }

    /// <summary>Takes a label set away, as when the cluster that it names is gone. Who still holds its cell counts in vain.</summary>
    public bool Remove(params ReadOnlySpan<string> values)
    {
        lock (_adding)
        {
            if (!_lookup.TryRemove(values, out _, out _))
            {
                return false;
            }

            _count--;
            return true;
        }
    }

    internal override void Begin()
    {
        if (Labels.Length == 0)
        {
            Cell();
        }
    }

    public override void Collect(IMetricVisitor visitor)
    {
        foreach (var (_, cell) in _cells)
        {
            Show(cell, visitor);
        }
    }

    private protected abstract TCell Make(string[] values);

    private protected abstract void Show(TCell cell, IMetricVisitor visitor);

    private TCell Overflow()
    {
        _limit.Count(Name);
        var values = new string[Labels.Length];
        Array.Fill(values, CardinalityLimit.OverflowValue);
        TryAdd(values, int.MaxValue, out var cell);
        return cell!;
    }

    private bool TryAdd(string[] values, int limit, [NotNullWhen(true)] out TCell? cell)
    {
        lock (_adding)
        {
            if (_cells.TryGetValue(values, out cell))
            {
                return true;
            }

            if (_count >= limit)
            {
                return false;
            }

            cell = Make(values);
            _cells[values] = cell;
            _count++;
            return true;
        }
    }
}
