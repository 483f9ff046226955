namespace Mesh.Xds.Metrics;

/// <summary>Is shown all metrics, family by family.</summary>
internal interface IMetricVisitor
{
    /// <summary>What follows is of this family.</summary>
    void Family(MetricFamily family);

    /// <summary>A counter's or gauge's value.</summary>
    /// <param name="labels">Values of the family's labels, in their order.</param>
    /// <param name="value">The value.</param>
    void Value(ReadOnlySpan<string> labels, double value);

    /// <summary>A histogram's values; the reading is good until the method returns.</summary>
    /// <param name="labels">Values of the family's labels, in their order.</param>
    /// <param name="reading">Its buckets.</param>
    void Histogram(ReadOnlySpan<string> labels, in HistogramReading reading);
}
