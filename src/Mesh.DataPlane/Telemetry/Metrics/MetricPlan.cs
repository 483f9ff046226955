using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>One metric as a listener's settings leave it: its family, and where each label's value comes from.</summary>
/// <param name="family">The family, with its labels.</param>
/// <param name="sources">For each label an <see cref="IstioLabel"/>, or the complement of an expression's place.</param>
internal sealed class MetricPlan(MetricFamily family, int[] sources)
{
    public MetricFamily Family { get; } = family;

    public TCell Cell<TCell>(string[] standard, string[]? expressed)
        where TCell : MetricCell
    {
        var values = new string[sources.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = sources[i] >= 0 ? standard[sources[i]] : expressed![~sources[i]];
        }

        return ((CellFamily<TCell>)Family).Cell(values);
    }
}
