using Mesh.DataPlane.Expressions;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>Which of Istio's metrics are counted with which labels, as a listener's settings say. Immutable.</summary>
internal sealed class StatsPlan
{
    private const int MaxExpressed = 253;

    private readonly MetricPlan?[] _metrics = new MetricPlan?[IstioStandard.Metrics.Length];
    private readonly List<CelExpression> _expressions = [];
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);

    /// <param name="settings">What is changed of the standard.</param>
    /// <param name="registry">Where families are made.</param>
    /// <param name="mayHave">Whether a metric may have these labels; when it may not, it has the standard ones.</param>
    public StatsPlan(StatsSettings settings, MetricRegistry registry, Func<string, IEnumerable<string>, bool> mayHave)
    {
        foreach (var metric in Enum.GetValues<IstioMetric>())
        {
            var description = IstioStandard.Metrics[(int)metric];
            var name = description.Name[IstioStandard.Prefix.Length..];
            var changes = settings.Changes.Where(c => c.Name.Length == 0 || c.Name == name).ToList();
            if (changes.Exists(c => c.IsDropped))
            {
                continue;
            }

            List<(string Name, int Source)> standard = [.. IstioStandard.LabelsOf(metric).Select(label => (IstioStandard.LabelNames[(int)label], (int)label))];
            var labels = Changed(standard, changes);
            _metrics[(int)metric] = Plan(description, mayHave(description.Name, labels.Select(l => l.Name)) ? labels : standard, registry);
        }

        Custom = [.. settings.Definitions.Select(definition => Define(definition, settings, registry, mayHave)).OfType<(MetricPlan, CelExpression)>()];
        Expressions = [.. _expressions];
    }

    /// <summary>What has to be evaluated before a label set is known.</summary>
    public CelExpression[] Expressions { get; }

    /// <summary>The operator's own metrics, and what is counted in them.</summary>
    public (MetricPlan Metric, CelExpression Value)[] Custom { get; }

    /// <summary>A metric; <see langword="null"/> when it is dropped.</summary>
    public MetricPlan? this[IstioMetric metric] => _metrics[(int)metric];

    /// <summary>The values of <see cref="Expressions"/> for a request; what has none is <c>unknown</c>.</summary>
    public string[]? Evaluate(in FormatContext context)
    {
        if (Expressions.Length == 0)
        {
            return null;
        }

        var values = new string[Expressions.Length];
        for (var i = 0; i < values.Length; i++)
        {
            var text = Expressions[i].TextOf(context) ?? Peer.UnknownValue;
            values[i] = text.Length > MaxExpressed ? text[..MaxExpressed] : text;
        }

        return values;
    }

    private static MetricPlan Plan(MetricDescription description, List<(string Name, int Source)> labels, MetricRegistry registry)
    {
        description = description with { Labels = [.. labels.Select(l => l.Name)], Tags = [.. labels.Select(l => l.Name)], HasVariants = true, MaxCells = registry.Limit.MaxCells * 4 };
        MetricFamily family = description.Type switch
        {
            MetricType.Counter => registry.Counter(description),
            MetricType.Gauge => registry.Gauge(description),
            _ => registry.Histogram(description, IstioStandard.Buckets),
        };
        return new MetricPlan(family, [.. labels.Select(l => l.Source)]);
    }

    private (MetricPlan, CelExpression)? Define(StatsSettings.CustomMetric definition, StatsSettings settings, MetricRegistry registry, Func<string, IEnumerable<string>, bool> mayHave)
    {
        var description = new MetricDescription(IstioStandard.Prefix + definition.Name, definition.Type, "Defined by the operator.");
        var labels = Changed([], settings.Changes.Where(c => c.Name.Length == 0 || c.Name == definition.Name));

        // A name that was another kind of metric before stays that one for as long as the process lives.
        var isAnother = registry.Families.Any(f => f.Name == description.Name && (f.Type != description.Type || !f.Description.HasVariants));
        return !isAnother && mayHave(description.Name, labels.Select(l => l.Name)) ? (Plan(description, labels, registry), definition.Value) : null;
    }

    private List<(string Name, int Source)> Changed(List<(string Name, int Source)> standard, IEnumerable<StatsSettings.MetricChange> changes)
    {
        var labels = standard.ToList();
        foreach (var change in changes)
        {
            labels.RemoveAll(l => change.Removed.Contains(l.Name));
            foreach (var (name, value) in change.Dimensions)
            {
                var at = labels.FindIndex(l => l.Name == name);
                if (value is null)
                {
                    labels.RemoveAll(l => l.Name == name);
                }
                else if (at >= 0)
                {
                    labels[at] = (name, ~PlaceOf(value));
                }
                else
                {
                    labels.Add((name, ~PlaceOf(value)));
                }
            }
        }

        return labels;
    }

    private int PlaceOf(CelExpression expression)
    {
        if (!_places.TryGetValue(expression.Text, out var place))
        {
            _places.Add(expression.Text, place = _expressions.Count);
            _expressions.Add(expression);
        }

        return place;
    }
}
