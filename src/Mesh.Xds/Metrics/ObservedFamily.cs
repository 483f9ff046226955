namespace Mesh.Xds.Metrics;

/// <summary>A counter or gauge whose values somebody else keeps, and which is read when it is asked for. Several may show values of the same family, of other label sets.</summary>
internal sealed class ObservedFamily : MetricFamily
{
    private readonly Lock _sync = new();
    private Action<IMetricVisitor>[] _readers = [];

    public ObservedFamily(MetricDescription description)
        : base(description)
    {
        if (description.Type == MetricType.Histogram)
        {
            throw new ArgumentException($"{Name}: a histogram is not observed");
        }
    }

    public override void Collect(IMetricVisitor visitor)
    {
        foreach (var reader in Volatile.Read(ref _readers))
        {
            reader(visitor);
        }
    }

    /// <summary>Adds somebody who is asked for values; until the result is disposed of.</summary>
    public IDisposable Add(Action<IMetricVisitor> reader)
    {
        lock (_sync)
        {
            _readers = [.. _readers, reader];
        }

        return new Registration(this, reader);
    }

    private sealed class Registration(ObservedFamily family, Action<IMetricVisitor> reader) : IDisposable
    {
        private int _disposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0)
            {
                lock (family._sync)
                {
                    var readers = family._readers.ToList();
                    readers.Remove(reader);
                    family._readers = [.. readers];
                }
            }
        }
    }
}
