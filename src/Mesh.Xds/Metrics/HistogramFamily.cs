using System.Diagnostics.Metrics;

namespace Mesh.Xds.Metrics;

/// <summary>A metric that counts values by size.</summary>
internal sealed class HistogramFamily : CellFamily<HistogramCell>
{
    private const int MaxBounds = 256;

    public HistogramFamily(MetricDescription description, double[] bounds, CardinalityLimit limit)
        : base(description, limit)
    {
        if (bounds.Length is 0 or > MaxBounds)
        {
            throw new ArgumentException($"{Name} needs 1 to {MaxBounds} buckets");
        }

        for (var i = 0; i < bounds.Length; i++)
        {
            if (!double.IsFinite(bounds[i]) || (i > 0 && bounds[i] <= bounds[i - 1]))
            {
                throw new ArgumentException($"The buckets of {Name} must be finite and ascending");
            }
        }

        Bounds = bounds;
    }

    /// <summary>Upper bounds of the buckets, inclusive, ascending, without the last one that takes all.</summary>
    public double[] Bounds { get; }

    /// <summary>What values are also told to while somebody listens; the bridge sets it.</summary>
    public Histogram<double>? Instrument { get; set; }

    private protected override HistogramCell Make(string[] values) => new(this, values);

    private protected override void Show(HistogramCell cell, IMetricVisitor visitor) => cell.Show(visitor);
}
