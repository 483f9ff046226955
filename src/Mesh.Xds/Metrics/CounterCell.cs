namespace Mesh.Xds.Metrics;

/// <summary>One counter.</summary>
internal sealed class CounterCell(string[] values) : MetricCell(values)
{
    private Stripes _stripes = new(1);

    public long Value => _stripes.Sum(0);

    public void Increment() => Add(1);

    /// <param name="by">Not negative.</param>
    public void Add(long by) => Add(by, Stripes.Here);

    /// <param name="by">Not negative.</param>
    /// <param name="stripe"><see cref="Stripes.Here"/>.</param>
    public void Add(long by, int stripe) => _stripes.Add(0, by, stripe);
}
