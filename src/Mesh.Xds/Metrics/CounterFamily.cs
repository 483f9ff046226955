namespace Mesh.Xds.Metrics;

/// <summary>A metric that only grows.</summary>
internal sealed class CounterFamily(MetricDescription description, CardinalityLimit limit) : CellFamily<CounterCell>(description, limit)
{
    private protected override CounterCell Make(string[] values) => new(values);

    private protected override void Show(CounterCell cell, IMetricVisitor visitor) => visitor.Value(cell.Values, cell.Value);
}
