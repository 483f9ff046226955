using System.Diagnostics;

namespace Mesh.Xds.Metrics;

/// <summary>One histogram: how many values fell into each bucket, and their sum.</summary>
internal sealed class HistogramCell : MetricCell
{
    private readonly HistogramFamily _family;
    private readonly double[] _bounds;

    // The buckets, then the sum as bits of a double.
    private Stripes _stripes;
    private Exemplar?[]? _exemplars;

    internal HistogramCell(HistogramFamily family, string[] values)
        : base(values)
    {
        _family = family;
        _bounds = family.Bounds;
        _stripes = new Stripes(_bounds.Length + 2);
    }

    /// <summary>How many values there were.</summary>
    public long Count
    {
        get
        {
            long count = 0;
            for (var i = 0; i <= _bounds.Length; i++)
            {
                count += _stripes.Sum(i);
            }

            return count;
        }
    }

    public double Sum => _stripes.SumDoubles(_bounds.Length + 1);

    /// <summary>Counts a value. Allocates nothing, unless somebody listens to the family's instrument.</summary>
    public void Record(double value) => Record(value, Stripes.Here);

    /// <summary>The same, of several values at once.</summary>
    /// <param name="value">The value.</param>
    /// <param name="stripe"><see cref="Stripes.Here"/>.</param>
    public void Record(double value, int stripe)
    {
        Add(value, stripe);
        if (_family.Instrument is { Enabled: true } instrument)
        {
            instrument.Record(value, Tags(_family));
        }
    }

    /// <summary>Counts a value that was measured in a trace that somebody records.</summary>
    /// <param name="value">The value.</param>
    /// <param name="span">The span that it was measured in; <see langword="null"/> for none.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stripe"><see cref="Stripes.Here"/>.</param>
    public void Record(double value, Activity? span, TimeProvider time, int stripe)
    {
        Record(value, stripe);
        if (span is { Recorded: true })
        {
            var exemplars = _exemplars ?? Interlocked.CompareExchange(ref _exemplars, new Exemplar?[_bounds.Length + 1], null) ?? _exemplars;
            Volatile.Write(ref exemplars[Bucket(value)], new Exemplar(value, span.TraceId, span.SpanId, time.GetUtcNow()));
        }
    }

    /// <summary>Shows what has been counted.</summary>
    public void Show(IMetricVisitor visitor)
    {
        Span<long> counts = stackalloc long[_bounds.Length + 1];
        for (var i = 0; i < counts.Length; i++)
        {
            counts[i] = _stripes.Sum(i);
        }

        visitor.Histogram(Values, new HistogramReading(_bounds, counts, Sum, _exemplars));
    }

    private void Add(double value, int stripe)
    {
        _stripes.Add(Bucket(value), 1, stripe);

        // Most requests have no body.
        if (value != 0)
        {
            _stripes.AddDouble(_bounds.Length + 1, value, stripe);
        }
    }

    private int Bucket(double value)
    {
        var (low, high) = (0, _bounds.Length);
        while (low < high)
        {
            var middle = (low + high) >> 1;
            if (value <= _bounds[middle])
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }
}
