namespace LoadGenerator;

/// <summary>Counts of values in Fortio's buckets, which are narrow where values are small; and what they sum up to.</summary>
public sealed class LoadHistogram
{
    private static readonly double[] Bounds =
    [
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 18, 20, 25, 30, 35, 40, 45, 50, 60, 70, 80, 90, 100, 120, 140, 160, 180, 200, 250, 300, 350, 400, 450,
        500, 600, 700, 800, 900, 1000, 2000, 3000, 4000, 5000, 7500, 10_000, 20_000, 30_000, 40_000, 50_000, 75_000, 100_000,
    ];

    private readonly double _unit;
    private readonly int[] _counts = new int[Bounds.Length + 1];
    private double _squares;

    /// <param name="unit">What the bounds of the buckets are multiples of.</param>
    public LoadHistogram(double unit = 0.001) => _unit = unit;

    public int Count { get; private set; }

    public double Min { get; private set; }

    public double Max { get; private set; }

    public double Sum { get; private set; }

    public double Average => Count == 0 ? 0 : Sum / Count;

    public double StandardDeviation => Count == 0 ? 0 : Math.Sqrt(Math.Max(0, (_squares / Count) - (Average * Average)));

    /// <summary>The buckets that have values, the first of which begins at the least and the last of which ends at the greatest.</summary>
    public IReadOnlyList<LoadBucket> Buckets
    {
        get
        {
            var buckets = new List<LoadBucket>();
            var total = 0;
            for (var i = 0; i < _counts.Length; i++)
            {
                if (_counts[i] == 0)
                {
                    continue;
                }

                total += _counts[i];
                var start = buckets.Count == 0 ? Min : Bounds[i - 1] * _unit;
                var end = total == Count ? Max : Bounds[i] * _unit;
                buckets.Add(new LoadBucket(start, end, 100.0 * total / Count, _counts[i]));
            }

            return buckets;
        }
    }

    public void Record(double value)
    {
        Min = Count == 0 ? value : Math.Min(Min, value);
        Max = Count == 0 ? value : Math.Max(Max, value);
        Count++;
        Sum += value;
        _squares += value * value;

        // A value on a bound belongs to the bucket that it ends.
        var bucket = Array.FindIndex(Bounds, bound => value <= bound * _unit);
        _counts[bucket < 0 ? Bounds.Length : bucket]++;
    }

    public void Add(LoadHistogram other)
    {
        if (other.Count == 0)
        {
            return;
        }

        Min = Count == 0 ? other.Min : Math.Min(Min, other.Min);
        Max = Count == 0 ? other.Max : Math.Max(Max, other.Max);
        Count += other.Count;
        Sum += other.Sum;
        _squares += other._squares;
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }
    }

    /// <summary>The value below which so many of a hundred are, as if those of a bucket were spread evenly.</summary>
    public double Percentile(double percentile)
    {
        var before = 0.0;
        foreach (var bucket in Buckets)
        {
            if (percentile <= bucket.Percent)
            {
                var part = Math.Max(0, percentile - before) / (bucket.Percent - before);
                return bucket.Start + (part * (bucket.End - bucket.Start));
            }

            before = bucket.Percent;
        }

        return Max;
    }
}

/// <summary>A bucket with values.</summary>
/// <param name="Start">Where it begins: the first includes it, others do not.</param>
/// <param name="End">Where it ends, which it includes.</param>
/// <param name="Percent">How many of a hundred values are in it and those before it.</param>
/// <param name="Count">How many values are in it.</param>
public readonly record struct LoadBucket(double Start, double End, double Percent, int Count);
