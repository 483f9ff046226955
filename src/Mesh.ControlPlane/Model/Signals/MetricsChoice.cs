using Google.Protobuf.WellKnownTypes;
using Istio.Telemetry.V1Alpha1;
using IstioMetric = Istio.Telemetry.V1Alpha1.MetricSelector.Types.IstioMetric;
using MetricCase = Istio.Telemetry.V1Alpha1.MetricSelector.MetricMatchOneofCase;
using TagOverride = Istio.Telemetry.V1Alpha1.MetricsOverrides.Types.TagOverride;

namespace Mesh.ControlPlane.Model.Signals;

/// <summary>What one provider measures at one end of a workload's requests, as Telemetry documents and default providers say.</summary>
internal sealed class MetricsChoice
{
    private readonly SortedDictionary<string, MetricOverride> _overrides = new(StringComparer.Ordinal);

    /// <summary>Nothing is measured.</summary>
    public bool IsDisabled { get; private set; }

    /// <summary>How often connections that last are told of; <see langword="null"/>: as the metrics filter does by itself.</summary>
    public Duration? ReportingInterval { get; private set; }

    /// <summary>What is other than usual, by the name of the metric: Istio's (<c>REQUEST_COUNT</c>) or a custom one.</summary>
    public IReadOnlyDictionary<string, MetricOverride> Overrides => _overrides;

    /// <summary>Istio's metrics, by the names that documents have for them.</summary>
    public static IReadOnlyList<string> IstioMetrics { get; } =
    [
        "GRPC_REQUEST_MESSAGES", "GRPC_RESPONSE_MESSAGES", "REQUEST_COUNT", "REQUEST_DURATION", "REQUEST_SIZE", "RESPONSE_SIZE", "TCP_CLOSED_CONNECTIONS",
        "TCP_OPENED_CONNECTIONS", "TCP_RECEIVED_BYTES", "TCP_SENT_BYTES",
    ];

    /// <summary>Merges the documents that count for a workload, the later ones before the earlier ones.</summary>
    /// <param name="documents">The documents.</param>
    /// <param name="defaults">The providers that are meant where none is named.</param>
    /// <param name="mode"><c>CLIENT</c> or <c>SERVER</c>.</param>
    /// <returns>By the provider's name; whose name is missing measures nothing.</returns>
    public static IReadOnlyDictionary<string, MetricsChoice> Of(IReadOnlyList<Telemetry> documents, IReadOnlyList<string> defaults, WorkloadMode mode)
    {
        var entries = documents.SelectMany(document => document.Metrics).ToArray();

        // 1. The last entry that names providers says which there are.
        var inScope = entries.Select(entry => TelemetryProviders.NamesOf(entry.Providers)).LastOrDefault(names => names.Count > 0) ?? defaults;
        var chosen = new SortedDictionary<string, MetricsChoice>(StringComparer.Ordinal);
        if (entries.Length == 0)
        {
            foreach (var name in inScope)
            {
                chosen[name] = new MetricsChoice();
            }

            return chosen;
        }

        // 2. Entry by entry what is other is put on top of what was before.
        var inherited = defaults;
        foreach (var entry in entries)
        {
            inherited = entry.Providers.Count > 0 ? TelemetryProviders.NamesOf(entry.Providers) : inherited;
            foreach (var name in inherited.Where(inScope.Contains))
            {
                if (!chosen.TryGetValue(name, out var choice))
                {
                    chosen[name] = choice = new MetricsChoice();
                }

                choice.ReportingInterval = entry.ReportingInterval ?? choice.ReportingInterval;
                foreach (var change in entry.Overrides.Where(change => (change.Match?.Mode ?? default) is WorkloadMode.ClientAndServer || change.Match!.Mode == mode))
                {
                    choice.Apply(change);
                }
            }
        }

        return chosen;
    }

    /// <summary>
    /// What several providers measure together, where all of them read the same endpoint: a metric that any of them wants, with the tags that any of them
    /// wants; where they say different things of one tag, the first one counts.
    /// </summary>
    /// <returns><see langword="null"/> when there is no provider.</returns>
    public static MetricsChoice? Together(IReadOnlyList<MetricsChoice> choices)
    {
        MetricsChoice[] measuring = [.. choices.Where(choice => !choice.IsDisabled)];
        if (measuring.Length <= 1)
        {
            return measuring.FirstOrDefault() ?? choices.FirstOrDefault();
        }

        var together = new MetricsChoice { ReportingInterval = measuring.Select(choice => choice.ReportingInterval).FirstOrDefault(interval => interval is not null) };
        foreach (var name in measuring.SelectMany(choice => choice._overrides.Keys).Distinct(StringComparer.Ordinal))
        {
            together._overrides[name] = MetricOverride.Together([.. measuring.Select(choice => choice._overrides.GetValueOrDefault(name))]);
        }

        return together;
    }

    /// <summary>Istio's name of a metric in documents.</summary>
    public static string NameOf(IstioMetric metric) => MetricSelector.Descriptor.EnumTypes.Single().FindValueByNumber((int)metric)?.Name ?? "";

    private void Apply(MetricsOverrides change)
    {
        var names = change.Match switch
        {
            { MetricMatchCase: MetricCase.CustomMetric } match => [match.CustomMetric],
            { MetricMatchCase: MetricCase.Metric, Metric: not IstioMetric.AllMetrics } match => [NameOf(match.Metric)],
            _ => IstioMetrics,
        };
        if (ReferenceEquals(names, IstioMetrics) && change.Disabled == true)
        {
            IsDisabled = true;
            return;
        }

        // Whatever comes later switches them on again, as in Istio.
        IsDisabled = false;
        foreach (var name in names)
        {
            if (!_overrides.TryGetValue(name, out var metric))
            {
                _overrides[name] = metric = new MetricOverride();
            }

            metric.Apply(change);
        }
    }

    /// <summary>What is other than usual of one metric.</summary>
    internal sealed class MetricOverride
    {
        private readonly SortedDictionary<string, TagOverride> _tags = new(StringComparer.Ordinal);

        public bool IsDropped { get; private set; }

        public IReadOnlyDictionary<string, TagOverride> Tags => _tags;

        /// <summary>What several say of a metric; <see langword="null"/>: one that says nothing of it.</summary>
        public static MetricOverride Together(IReadOnlyList<MetricOverride?> changes)
        {
            var together = new MetricOverride { IsDropped = changes.All(change => change is { IsDropped: true }) };
            foreach (var (name, tag) in changes.Where(change => change is { IsDropped: false } || together.IsDropped).SelectMany(change => change!._tags))
            {
                together._tags.TryAdd(name, tag);
            }

            return together;
        }

        public void Apply(MetricsOverrides change)
        {
            IsDropped = change.Disabled ?? IsDropped;
            foreach (var (name, tag) in change.TagOverrides)
            {
                _tags[name] = tag;
            }
        }
    }
}
