namespace Mesh.Xds.Metrics;

/// <summary>What a histogram has counted.</summary>
/// <param name="bounds">Upper bounds of the buckets, inclusive; one more bucket holds all above.</param>
/// <param name="counts">How many values fell into each bucket alone; one more than bounds.</param>
/// <param name="sum">All values together.</param>
/// <param name="exemplars">The last traced value of each bucket; empty where none was traced.</param>
internal readonly ref struct HistogramReading(ReadOnlySpan<double> bounds, ReadOnlySpan<long> counts, double sum, ReadOnlySpan<Exemplar?> exemplars)
{
    public ReadOnlySpan<double> Bounds { get; } = bounds;

    public ReadOnlySpan<long> Counts { get; } = counts;

    public double Sum { get; } = sum;

    public ReadOnlySpan<Exemplar?> Exemplars { get; } = exemplars;
}
