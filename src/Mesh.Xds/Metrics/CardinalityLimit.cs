using System.Collections.Concurrent;

namespace Mesh.Xds.Metrics;

/// <summary>How many label sets a family may have, and how often one was refused.</summary>
internal sealed class CardinalityLimit(int maxCells)
{
    /// <summary>The counter that tells.</summary>
    public const string Metric = "mesh_metrics_overflow_total";

    /// <summary>Stands for every label's value in the cell of those that found no place.</summary>
    public const string OverflowValue = "overflow";

    private readonly ConcurrentDictionary<string, CounterCell> _refused = new();

    public int MaxCells => maxCells;

    /// <summary>Set by the registry, whose own family this is.</summary>
    public CounterFamily? Refused { get; set; }

    /// <summary>A label set of this family found no place.</summary>
    public void Count(string family)
    {
        if (!_refused.TryGetValue(family, out var cell))
        {
            // As many as there are families: bounded by the code.
            cell = _refused.GetOrAdd(family, static (name, families) => families!.Cell(name), Refused);
        }

        cell.Add(1);
    }
}
