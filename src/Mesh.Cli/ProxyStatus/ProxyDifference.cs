using System.Text.Json.Nodes;
using Google.Protobuf;
using Mesh.Cli.ProxyConfig;
using Mesh.Xds.Validation;

namespace Mesh.Cli.ProxyStatus;

/// <summary>Where what a control plane has sent and what a process has differ: field by field.</summary>
/// <param name="sent">By the control plane.</param>
/// <param name="held">By the process.</param>
internal sealed class ProxyDifference(ConfigDump sent, ConfigDump held)
{
    private const int MaxLines = 40;

    public IEnumerable<string> Lines()
        => Compare("Clusters", sent.Clusters, held.Clusters, cluster => cluster.Name)
            .Concat(Compare("Endpoints", sent.Endpoints, held.Endpoints, endpoints => endpoints.ClusterName))
            .Concat(Compare("Listeners", sent.Listeners, held.Listeners, listener => listener.Name))
            .Concat(Compare("Routes", sent.Routes, held.Routes, routes => routes.Name));

    private static IEnumerable<string> Compare<T>(string kind, IEnumerable<T> sent, IEnumerable<T> held, Func<T, string> nameOf)
        where T : class, IMessage<T>
    {
        var left = sent.DistinctBy(nameOf).ToDictionary(nameOf, StringComparer.Ordinal);
        var right = held.DistinctBy(nameOf).ToDictionary(nameOf, StringComparer.Ordinal);
        var differences = left.Keys.Union(right.Keys).Order(StringComparer.Ordinal).SelectMany(name => (left.GetValueOrDefault(name), right.GetValueOrDefault(name)) switch
        {
            (null, _) => [$"+ {name}: the proxy has it, and the control plane has not sent it"],
            (_, null) => [$"- {name}: the control plane has sent it, and the proxy has it not"],
            var (a, b) when a.Equals(b) => [],
            var (a, b) => Fields(name, ConfigDump.ToJson([a])[0], ConfigDump.ToJson([b])[0]),
        }).ToArray();
        return differences.Length == 0
            ? [$"{kind} Match"]
            : [$"{kind} Don't Match", .. differences.Take(MaxLines).Select(line => "  " + PrintableText.Of(line)), .. differences.Length > MaxLines ? new[] { $"  and {differences.Length - MaxLines} more" } : []];
    }

    private static IEnumerable<string> Fields(string path, JsonNode? sent, JsonNode? held)
    {
        if (JsonNode.DeepEquals(sent, held))
        {
            return [];
        }

        return (sent, held) switch
        {
            (JsonObject a, JsonObject b) => a.Select(field => field.Key).Union(b.Select(field => field.Key)).SelectMany(key => Fields($"{path}.{key}", a[key], b[key])),
            (JsonArray a, JsonArray b) => Enumerable.Range(0, Math.Max(a.Count, b.Count)).SelectMany(i => Fields($"{path}[{i}]", i < a.Count ? a[i] : null, i < b.Count ? b[i] : null)),
            _ => [$"~ {path}: sent {Text(sent)}, the proxy has {Text(held)}"],
        };
    }

    private static string Text(JsonNode? node) => node is null ? "nothing" : PrintableText.Of(node.ToJsonString()) is { Length: <= 120 } text ? text : node.ToJsonString()[..119] + "…";
}
