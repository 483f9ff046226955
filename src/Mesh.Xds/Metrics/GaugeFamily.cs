namespace Mesh.Xds.Metrics;

/// <summary>A metric that goes up and down.</summary>
internal sealed class GaugeFamily(MetricDescription description, CardinalityLimit limit) : CellFamily<GaugeCell>(description, limit)
{
    private protected override GaugeCell Make(string[] values) => new(values);

    private protected override void Show(GaugeCell cell, IMetricVisitor visitor) => visitor.Value(cell.Values, cell.Value);
}
