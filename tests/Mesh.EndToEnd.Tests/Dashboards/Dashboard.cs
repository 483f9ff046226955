using System.Text.Json;
using System.Text.RegularExpressions;

namespace Mesh.EndToEnd.Tests.Dashboards;

/// <summary>A dashboard of Grafana, as the file says it.</summary>
internal sealed partial class Dashboard(string file)
{
    private readonly JsonElement _root = JsonDocument.Parse(File.ReadAllText(file)).RootElement;

    public string Name { get; } = Path.GetFileName(file);

    public string Uid => Text(_root, "uid");

    public string Title => Text(_root, "title");

    public int SchemaVersion => _root.GetProperty("schemaVersion").GetInt32();

    public IReadOnlyList<string> Variables => [.. VariableElements().Select(variable => Text(variable, "name"))];

    /// <summary>Rows and what is in them.</summary>
    public IEnumerable<JsonElement> Panels
        => _root.GetProperty("panels").EnumerateArray().SelectMany(panel => panel.TryGetProperty("panels", out var inner) ? inner.EnumerateArray().Prepend(panel) : [panel]);

    public IEnumerable<Query> Queries
        => Panels.Where(panel => panel.TryGetProperty("targets", out _))
            .SelectMany(panel => panel.GetProperty("targets").EnumerateArray().Select(target => new Query(
                $"{Name}: {Text(panel, "title")} {Text(target, "refId")}",
                Complete(Text(target, "expr")),
                [.. Legend().Matches(Text(target, "legendFormat")).Select(match => match.Groups[1].Value)])))
            .Concat(VariableElements().Where(variable => Text(variable, "type") == "query").Select(VariableQuery));

    /// <summary>Names of variables that some query or variable uses.</summary>
    public IEnumerable<string> UsedVariables
        => Variable().Matches(_root.GetRawText()).Select(match => match.Groups[1].Value).Where(name => !name.StartsWith("__", StringComparison.Ordinal)).Distinct();

    public static string Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";

    private IEnumerable<JsonElement> VariableElements() => _root.GetProperty("templating").GetProperty("list").EnumerateArray();

    // label_values(metric{…}, label) is Grafana's own, and counts on both.
    private Query VariableQuery(JsonElement variable)
    {
        var text = Text(variable.GetProperty("query"), "query");
        var match = LabelValues().Match(text);
        match.Success.ShouldBeTrue($"{Name}: {text}");
        return new Query($"{Name}: ${Text(variable, "name")}", Complete(match.Groups[1].Value), [match.Groups[2].Value]);
    }

    // A duration where there must be one, any text elsewhere.
    private static string Complete(string text) => Variable().Replace(text, match => match.Groups[1].Value switch
    {
        "__rate_interval" or "__interval" or "__range" => "1m",
        "reporter" => "source",
        _ => ".*",
    });

    [GeneratedRegex(@"\$\{?(\w+)\}?")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\{\{\s*(\w+)\s*\}\}")]
    private static partial Regex Legend();

    [GeneratedRegex(@"^label_values\((.*),\s*(\w+)\)$", RegexOptions.Singleline)]
    private static partial Regex LabelValues();
}
