using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Expressions;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Timeouts;
using Mesh.Xds.Client;
using Mesh.Xds.Metrics;
using Stats;
using MetricType = Mesh.Xds.Metrics.MetricType;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>Decodes <c>stats.PluginConfig</c>. Metrics decide nothing: what cannot be done is told, and nothing is refused for it.</summary>
internal static class StatsSettingsCompiler
{
    private const int MaxDimensions = 64;

    /// <summary>Finds it among the filters of requests.</summary>
    /// <returns><see langword="null"/> when there is none.</returns>
    public static StatsSettings? Find(IReadOnlyList<HttpFilter> filters, string path, ICollection<string> notes)
        => Find([.. filters.Select(f => f.Disabled ? null : f.TypedConfig)], path, notes);

    /// <summary>Finds it among the filters of connections.</summary>
    /// <returns><see langword="null"/> when there is none.</returns>
    public static StatsSettings? Find(IReadOnlyList<Envoy.Config.Listener.V3.Filter> filters, string path, ICollection<string> notes)
        => Find([.. filters.Select(f => f.TypedConfig)], path, notes);

    /// <exception cref="ResourceRejectedException">It is no such message.</exception>
    public static StatsSettings Compile(FilterMessage config, string path, ICollection<string> notes)
    {
        var message = config.Parse(PluginConfig.Parser, path, notes);
        Tell(message, path, notes);
        var rotation = Interval(message.RotationInterval, path + ".rotation_interval", TimeSpan.Zero, notes);
        var deletion = Interval(message.GracefulDeletionInterval, path + ".graceful_deletion_interval", TimeSpan.FromMinutes(5), notes);
        if (rotation > TimeSpan.Zero && deletion >= rotation)
        {
            throw new ResourceRejectedException(path + ".graceful_deletion_interval", "must be less than rotation_interval");
        }

        return new StatsSettings
        {
            Identity = message.ToString(),
            Changes = [.. message.Metrics.Select((m, i) => Change(m, $"{path}.metrics[{i}]", notes))],
            Definitions = [.. message.Definitions.Select((d, i) => Definition(d, $"{path}.definitions[{i}]", notes)).OfType<StatsSettings.CustomMetric>()],
            DisableHostHeaderFallback = message.DisableHostHeaderFallback,
            TcpReportingDuration = Interval(message.TcpReportingDuration, path + ".tcp_reporting_duration", TimeSpan.FromSeconds(5), notes),
            RotationInterval = rotation,
            GracefulDeletionInterval = deletion,
        };
    }

    private static StatsSettings? Find(IReadOnlyList<Any?> configs, string path, ICollection<string> notes)
    {
        StatsSettings? found = null;
        for (var i = 0; i < configs.Count; i++)
        {
            var itemPath = $"{path}[{i}].typed_config";
            if (!SignalFilters.IsOne(configs[i], itemPath))
            {
                continue;
            }

            if (found is not null)
            {
                notes.Add($"{path}[{i}] is not applied: metrics are counted once, as an earlier filter says");
                continue;
            }

            found = Compile(FilterMessage.Open(configs[i]!, itemPath), itemPath, notes);
        }

        return found;
    }

    private static void Tell(PluginConfig message, string path, ICollection<string> notes)
    {
        foreach (var (isSet, field, why) in new[]
            {
                (message.Debug, "debug", "nothing more is logged"),
                (message.MaxPeerCacheSize != 0, "max_peer_cache_size", "the number of peers that are remembered is this process's own setting"),
                (message.StatPrefix is not ("" or "istio"), "stat_prefix", "the names begin with istio_, by which dashboards look for them"),
                (message.FieldSeparator.Length > 0, "field_separator", "labels are kept apart from names"),
                (message.ValueSeparator.Length > 0, "value_separator", "labels are kept apart from names"),
                (message.Reporter != global::Stats.Reporter.Unspecified, "reporter", "this process is no gateway of other workloads"),
            })
        {
            if (isSet)
            {
                notes.Add($"{path}.{field} is not applied: {why}");
            }
        }
    }

    private static StatsSettings.MetricChange Change(MetricConfig message, string path, ICollection<string> notes)
    {
        if (message.Match.Length > 0)
        {
            notes.Add($"{path}.match is not applied: the entry holds for every request, as in Istio");
        }

        foreach (var tag in message.TagsToRemove.Where(tag => !IstioStandard.Labels.ContainsKey(tag)))
        {
            notes.Add($"{path}.tags_to_remove: '{tag}' is not a standard label");
        }

        var dimensions = new List<(string, CelExpression?)>();
        foreach (var (label, text) in message.Dimensions.OrderBy(d => d.Key, StringComparer.Ordinal))
        {
            if (dimensions.Count == MaxDimensions)
            {
                notes.Add($"{path}.dimensions: only the first {MaxDimensions} are applied");
                break;
            }

            if (!MetricDescription.IsName(label, '_') || label.StartsWith("__", StringComparison.Ordinal) || label == "le")
            {
                notes.Add($"{path}.dimensions: '{label}' cannot be a label");
                continue;
            }

            dimensions.Add((label, Expression(text, $"{path}.dimensions['{label}']", "the label is left out", notes)));
        }

        return new StatsSettings.MetricChange(message.Name, message.Drop, [.. message.TagsToRemove], dimensions);
    }

    private static StatsSettings.CustomMetric? Definition(MetricDefinition message, string path, ICollection<string> notes)
    {
        if (message.Name.Length == 0 || IstioStandard.ByName.ContainsKey(message.Name) || !MetricDescription.IsName(IstioStandard.Prefix + message.Name, ':'))
        {
            notes.Add($"{path}.name: '{message.Name}' {(IstioStandard.ByName.ContainsKey(message.Name) ? "is a standard metric, which cannot be defined anew" : "cannot be the name of a metric")}");
            return null;
        }

        var type = message.Type switch
        {
            Stats.MetricType.Gauge => MetricType.Gauge,
            Stats.MetricType.Histogram => MetricType.Histogram,
            _ => MetricType.Counter,
        };
        return Expression(message.Value, path + ".value", "the metric is left out", notes) is { } value ? new StatsSettings.CustomMetric(message.Name, type, value) : null;
    }

    private static CelExpression? Expression(string text, string path, string otherwise, ICollection<string> notes)
    {
        try
        {
            return CelExpression.Parse(text);
        }
        catch (CelSyntaxException e)
        {
            notes.Add($"{path}: '{text}' cannot be evaluated, {otherwise}: {e.Message}");
            return null;
        }
    }

    private static TimeSpan Interval(Duration? message, string path, TimeSpan otherwise, ICollection<string> notes)
    {
        var interval = TimeoutPolicyCompiler.Value(message, path) ?? otherwise;
        if (interval > TimeSpan.Zero && interval < TimeSpan.FromSeconds(1))
        {
            notes.Add($"{path} is less than the second that is the least");
            return TimeSpan.FromSeconds(1);
        }

        return interval;
    }
}
