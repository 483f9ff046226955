namespace Mesh.Xds.Metrics;

/// <summary>
/// All metrics of one process: data plane and control plane alike register here. Families are made once and kept; a second registration of the same
/// name gives the same family, provided that it says the same of it. Only a metric whose labels are the operator's choice
/// (<see cref="MetricDescription.HasVariants"/>) may be several families of one name, each with other labels.
/// </summary>
internal sealed class MetricRegistry
{
    /// <summary>Label sets of one family, unless the settings say otherwise.</summary>
    public const int DefaultMaxCells = 2_000;

    private readonly Lock _sync = new();
    private readonly Dictionary<string, List<MetricFamily>> _byName = new(StringComparer.Ordinal);
    private readonly CardinalityLimit _limit;
    private MetricFamily[] _families = [];
    private Action<MetricFamily>? _added;

    public MetricRegistry()
        : this(DefaultMaxCells)
    {
    }

    /// <param name="maxCells">How many label sets one family may have.</param>
    public MetricRegistry(int maxCells)
    {
        _limit = new CardinalityLimit(maxCells);
        _limit.Refused = Counter(CardinalityLimit.Metric, "Recordings whose label set found no place because the metric has too many.", "metric");
    }

    /// <summary>The registry of a process, with the limit that has been set in it, or else the default one.</summary>
    public static MetricRegistry Create(IServiceProvider services) => new((services.GetService(typeof(SeriesLimit)) as SeriesLimit)?.MaxCells ?? DefaultMaxCells);

    /// <summary>How many label sets a family may have, and who is told of more.</summary>
    public CardinalityLimit Limit => _limit;

    /// <summary>Called before metrics are collected: the moment to take away what nobody counts in any more.</summary>
    public event Action? Collecting;

    /// <summary>All families, in the order of their names.</summary>
    public IReadOnlyList<MetricFamily> Families => Volatile.Read(ref _families);

    public CounterFamily Counter(string name, string help, params string[] labels) => Counter(new(name, MetricType.Counter, help, labels));

    public CounterFamily Counter(MetricDescription description)
        => Add(description with { Type = MetricType.Counter }, static (description, limit) => new CounterFamily(description, limit));

    public GaugeFamily Gauge(string name, string help, params string[] labels) => Gauge(new(name, MetricType.Gauge, help, labels));

    public GaugeFamily Gauge(MetricDescription description)
        => Add(description with { Type = MetricType.Gauge }, static (description, limit) => new GaugeFamily(description, limit));

    /// <param name="name">Its name.</param>
    /// <param name="help">One sentence.</param>
    /// <param name="bounds">Upper bounds of the buckets, inclusive, ascending, without the last one that takes all.</param>
    /// <param name="labels">Names of its labels.</param>
    public HistogramFamily Histogram(string name, string help, double[] bounds, params string[] labels)
        => Histogram(new(name, MetricType.Histogram, help, labels), bounds);

    public HistogramFamily Histogram(MetricDescription description, double[] bounds)
    {
        var family = Add(description with { Type = MetricType.Histogram }, (description, limit) => new HistogramFamily(description, bounds, limit));
        return family.Bounds.AsSpan().SequenceEqual(bounds)
            ? family
            : throw new ArgumentException($"{description.Name} is registered with other buckets");
    }

    /// <summary>Values that somebody keeps elsewhere: <paramref name="read"/> is called whenever metrics are collected, and shows each label set by <see cref="IMetricVisitor.Value"/>.</summary>
    /// <param name="description">Of a counter or a gauge.</param>
    /// <param name="read">Must neither block nor throw.</param>
    /// <returns>Takes the values away again when it is disposed of.</returns>
    public IDisposable Observe(MetricDescription description, Action<IMetricVisitor> read)
        => Add(description, static (description, _) => new ObservedFamily(description)).Add(read);

    /// <summary>A gauge without labels, read on demand.</summary>
    public IDisposable Observe(string name, string help, Func<double> read)
        => Observe(new MetricDescription(name, MetricType.Gauge, help), visitor => visitor.Value([], read()));

    /// <summary>Shows all families and their values. Stops nobody who counts.</summary>
    public void Collect(IMetricVisitor visitor)
    {
        Collecting?.Invoke();
        foreach (var family in Families)
        {
            visitor.Family(family);
            family.Collect(visitor);
        }
    }

    /// <summary>Tells of all families, of those that stand and of each that comes.</summary>
    public void OnFamily(Action<MetricFamily> told)
    {
        lock (_sync)
        {
            _added += told;
            foreach (var family in _families)
            {
                told(family);
            }
        }
    }

    private TFamily Add<TFamily>(MetricDescription description, Func<MetricDescription, CardinalityLimit, TFamily> make)
        where TFamily : MetricFamily
    {
        lock (_sync)
        {
            if (!_byName.TryGetValue(description.Name, out var known))
            {
                _byName.Add(description.Name, known = []);
            }

            foreach (var other in known)
            {
                if (other is TFamily family && other.Type == description.Type && other.Labels.AsSpan().SequenceEqual(description.Labels))
                {
                    return family;
                }

                if (other is not TFamily || other.Type != description.Type || !other.Description.HasVariants || !description.HasVariants)
                {
                    throw new ArgumentException($"{description.Name} is registered as another metric: {other.Type} with labels {string.Join(", ", other.Labels)}");
                }
            }

            var made = make(description, _limit);
            made.Begin();
            known.Add(made);
            var families = new List<MetricFamily>(_families) { made };
            families.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name) is not 0 and var order ? order : a.Labels.AsSpan().SequenceCompareTo(b.Labels));
            Volatile.Write(ref _families, [.. families]);
            _added?.Invoke(made);
            return made;
        }
    }
}
