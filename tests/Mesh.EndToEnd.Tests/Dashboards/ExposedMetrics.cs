using Mesh.EndToEnd.Tests.Dashboards.PromQl;
using Mesh.Xds.Metrics;

namespace Mesh.EndToEnd.Tests.Dashboards;

/// <summary>What processes of the mesh expose: the names of their series, and the labels of each.</summary>
internal sealed class ExposedMetrics
{
    /// <summary>What Prometheus itself adds to every series.</summary>
    private static readonly string[] OfTargets = ["job", "instance"];

    /// <summary>What it adds of its own for each process that it collects from.</summary>
    private static readonly string[] OfPrometheus = ["up", "scrape_duration_seconds", "scrape_samples_scraped"];

    private readonly Dictionary<string, HashSet<string>> _series = OfPrometheus.ToDictionary(name => name, _ => OfTargets.ToHashSet(), StringComparer.Ordinal);

    public ExposedMetrics(params IEnumerable<MetricRegistry> registries)
    {
        foreach (var family in registries.SelectMany(registry => registry.Families))
        {
            string[] names = family.Type == MetricType.Histogram ? [$"{family.Name}_bucket", $"{family.Name}_sum", $"{family.Name}_count"] : [family.Name];
            foreach (var name in names)
            {
                var labels = _series.TryGetValue(name, out var known) ? known : _series[name] = [.. OfTargets];
                labels.UnionWith(family.Labels);
                if (name.EndsWith("_bucket", StringComparison.Ordinal))
                {
                    labels.Add("le");
                }
            }
        }
    }

    /// <summary>What is wrong with an expression: names and labels that nobody exposes.</summary>
    public IEnumerable<string> WrongWith(Query query)
    {
        var wrong = new List<string>();
        var left = LabelsOf(query.Parse(), wrong);
        wrong.AddRange(query.Shown.Where(label => !left.Contains(label)).Select(label => $"shows {label}, which is not there any more"));
        return wrong.Distinct().Select(what => $"{query.Place}: {what} in {query.Text}");
    }

    /// <summary>The labels that a result has.</summary>
    private HashSet<string> LabelsOf(PromQlNode node, List<string> wrong)
    {
        switch (node)
        {
            case PromQlNode.Selector selector:
                if (!_series.TryGetValue(selector.Metric, out var labels))
                {
                    wrong.Add($"nobody exposes {selector.Metric}");
                    return [.. OfTargets];
                }

                wrong.AddRange(selector.Matchers.Where(matcher => !labels.Contains(matcher.Label)).Select(matcher => $"{selector.Metric} has no label {matcher.Label}"));
                return [.. labels];
            case PromQlNode.Aggregation aggregation:
                var inner = aggregation.Arguments.Select(argument => LabelsOf(argument, wrong)).ToList();
                var last = inner[^1];
                wrong.AddRange(aggregation.Labels.Where(label => !last.Contains(label)).Select(label => $"{aggregation.Operator} by {label}, which is not there"));
                return aggregation.Operator is "topk" or "bottomk" ? last
                    : aggregation.IsWithout ? [.. last.Except(aggregation.Labels)]
                    : [.. aggregation.Labels];
            case PromQlNode.Call call:
                var arguments = call.Arguments.Select(argument => LabelsOf(argument, wrong)).ToList();
                if (call.Function == "histogram_quantile")
                {
                    if (!arguments[^1].Remove("le"))
                    {
                        wrong.Add("a quantile of what has no buckets");
                    }
                }

                return call.Function is "vector" or "time" or "scalar" or "absent" ? [] : arguments.MaxBy(found => found.Count) ?? [];
            case PromQlNode.Binary binary:
                var (left, right) = (LabelsOf(binary.Left, wrong), LabelsOf(binary.Right, wrong));
                wrong.AddRange(binary.MatchedBy.Where(label => !left.Contains(label) || !right.Contains(label)).Select(label => $"{binary.Operator} by {label}, which one side has not"));
                if (binary.MatchedBy.Count == 0 && !binary.IsOn && IsVector(binary.Left) && IsVector(binary.Right) && binary.Operator is not ("or" or "OR") && !left.SetEquals(right))
                {
                    wrong.Add($"{binary.Operator} never finds its pairs: {string.Join(",", left)} and {string.Join(",", right)}");
                }

                return !IsVector(binary.Left) ? right : [.. left, .. binary.Included];
            default:
                return [];
        }
    }

    private static bool IsVector(PromQlNode node) => node is not PromQlNode.Literal && !(node is PromQlNode.Binary binary && !IsVector(binary.Left) && !IsVector(binary.Right))
        && node is not PromQlNode.Call { Function: "time" or "scalar" };
}
