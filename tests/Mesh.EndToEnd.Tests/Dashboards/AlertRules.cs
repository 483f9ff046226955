using System.Text.RegularExpressions;
using Mesh.ControlPlane.Config.Yaml;

namespace Mesh.EndToEnd.Tests.Dashboards;

/// <summary>The rules by which Prometheus raises alarms.</summary>
internal static partial class AlertRules
{
    /// <param name="Group">The group.</param>
    /// <param name="Name">The alert's name, or that of the series that the rule records.</param>
    /// <param name="Query">What it asks.</param>
    /// <param name="Severity">The label <c>severity</c>.</param>
    /// <param name="Summary">What is told.</param>
    /// <param name="Description">What it means, and what to look at.</param>
    internal sealed record Rule(string Group, string Name, Query Query, string Severity, string Summary, string Description);

    public static IReadOnlyList<Rule> Read(string file)
    {
        var text = YamlComposer.Compose(File.ReadAllText(file), new YamlLimits());
        text.Broken.ShouldBeNull();
        return [.. Items(text.Documents.ShouldHaveSingleItem().Root, "groups").SelectMany(group => Items(group, "rules").Select(rule =>
        {
            var (labels, annotations) = (Find(rule, "labels"), Find(rule, "annotations"));
            var (summary, description) = (Text(annotations, "summary"), Text(annotations, "description"));
            var name = Text(rule, "alert");
            return new Rule(
                Text(group, "name"),
                name,
                new Query($"{Path.GetFileName(file)}: {name}", Text(rule, "expr"), [.. Label().Matches(summary + description).Select(match => match.Groups[1].Value)]),
                Text(labels, "severity"),
                summary,
                description);
        }))];
    }

    private static YamlNode? Find(YamlNode? node, string key) => node is YamlMapping mapping && mapping.TryGet(key, out var entry) ? entry.Value : null;

    private static string Text(YamlNode? node, string key) => (Find(node, key) as YamlScalar)?.Value ?? "";

    private static IEnumerable<YamlNode> Items(YamlNode node, string key) => (Find(node, key) as YamlSequence)?.Items ?? [];

    [GeneratedRegex(@"\$labels\.(\w+)")]
    private static partial Regex Label();
}
