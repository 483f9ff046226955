namespace Mesh.Xds.Metrics;

/// <summary>One gauge.</summary>
internal sealed class GaugeCell(string[] values) : MetricCell(values)
{
    private double _value;

    public double Value => Volatile.Read(ref _value);

    public void Set(double value) => Volatile.Write(ref _value, value);

    public void Add(double by)
    {
        double seen;
        do
        {
            seen = Volatile.Read(ref _value);
        }
        while (Interlocked.CompareExchange(ref _value, seen + by, seen) != seen);
    }
}
