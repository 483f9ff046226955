using Istio.Telemetry.V1Alpha1;
using MetricCase = Istio.Telemetry.V1Alpha1.MetricSelector.MetricMatchOneofCase;
using Operation = Istio.Telemetry.V1Alpha1.MetricsOverrides.Types.TagOverride.Types.Operation;
using TagCase = Istio.Telemetry.V1Alpha1.Tracing.Types.CustomTag.TypeOneofCase;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>What Istio demands of a Telemetry, and what every data plane would refuse.</summary>
internal static class TelemetryValidator
{
    public static void Validate(Telemetry spec, ValidationContext context)
    {
        PolicySelectorValidator.Validate(spec.Selector, spec.TargetRef, spec.TargetRefs, context);
        if (spec.Tracing.Count > 1 && spec.Tracing.Any(tracing => tracing.Match is null || tracing.Match.Mode == WorkloadMode.ClientAndServer))
        {
            context.Warn("tracing", "has several entries, of which the later ones count where they say something: make them one, or tell them apart by match.mode.");
        }

        for (var i = 0; i < spec.Tracing.Count; i++)
        {
            Tracing(spec.Tracing[i], $"tracing[{i}]", context);
        }

        for (var i = 0; i < spec.Metrics.Count; i++)
        {
            Metrics(spec.Metrics[i], $"metrics[{i}]", context);
        }

        for (var i = 0; i < spec.AccessLogging.Count; i++)
        {
            Providers(spec.AccessLogging[i].Providers, $"accessLogging[{i}]", context);
            if (spec.AccessLogging[i].Filter is { } filter)
            {
                context.Expression($"accessLogging[{i}].filter.expression", filter.Expression);
            }
        }
    }

    private static void Tracing(Tracing tracing, string path, ValidationContext context)
    {
        Providers(tracing.Providers, path, context);
        if (tracing.Providers.Count > 1)
        {
            context.Warn($"{path}.providers", $"has several providers, of which only the first, \"{tracing.Providers[0].Name}\", is sent spans.");
        }

        if (tracing.RandomSamplingPercentage is not (null or (>= 0 and <= 100)))
        {
            context.Error($"{path}.randomSamplingPercentage", $"must be from 0 to 100, not {tracing.RandomSamplingPercentage}.");
        }

        foreach (var (name, tag) in tracing.CustomTags)
        {
            var at = Yaml.YamlPath.Append($"{path}.customTags", name);
            if (name.Length == 0)
            {
                context.Error($"{path}.customTags", "has a tag without a name.");
            }

            switch (tag.TypeCase)
            {
                case TagCase.None:
                    context.Error(at, "says nothing of its value: give it one of literal, environment, header and formatter.");
                    break;
                case TagCase.Literal when tag.Literal.Value.Length == 0:
                    context.Error($"{at}.literal.value", "must not be empty.");
                    break;
                case TagCase.Environment when tag.Environment.Name.Length == 0:
                    context.Error($"{at}.environment.name", "must not be empty: it names a variable of the workload's environment.");
                    break;
                case TagCase.Header when !FieldRules.IsHeaderName(tag.Header.Name):
                    context.Error($"{at}.header.name", $"\"{tag.Header.Name}\" is not the name of a header.");
                    break;
                case TagCase.Formatter when tag.Formatter.Value.Length == 0:
                    context.Error($"{at}.formatter.value", "must not be empty.");
                    break;
                case TagCase.Formatter when HeaderFormat.Problem(tag.Formatter.Value) is { } problem:
                    context.Error($"{at}.formatter.value", problem);
                    break;
            }
        }
    }

    private static void Metrics(Metrics metrics, string path, ValidationContext context)
    {
        Providers(metrics.Providers, path, context);
        FieldRules.AtLeastAMillisecond(metrics.ReportingInterval, $"{path}.reportingInterval", context);
        for (var i = 0; i < metrics.Overrides.Count; i++)
        {
            var change = metrics.Overrides[i];
            var at = $"{path}.overrides[{i}]";
            if (change.Match is { MetricMatchCase: MetricCase.CustomMetric, CustomMetric.Length: 0 })
            {
                context.Error($"{at}.match.customMetric", "must not be empty.");
            }

            foreach (var (name, tag) in change.TagOverrides)
            {
                var of = Yaml.YamlPath.Append($"{at}.tagOverrides", name);
                if (name.Length == 0)
                {
                    context.Error($"{at}.tagOverrides", "has a tag without a name.");
                }

                if (tag.Operation == Operation.Remove && tag.Value.Length > 0)
                {
                    context.Error($"{of}.value", "may only be set when operation is UPSERT.");
                }
                else if (tag.Operation == Operation.Upsert)
                {
                    context.Expression($"{of}.value", tag.Value);
                }
            }
        }
    }

    private static void Providers(IReadOnlyList<ProviderRef> providers, string path, ValidationContext context)
    {
        for (var i = 0; i < providers.Count; i++)
        {
            if (providers[i].Name.Length == 0)
            {
                context.Error($"{path}.providers[{i}].name", "must not be empty: name one of the extensionProviders of the MeshConfig.");
            }
        }
    }
}
