using System.Text.Json;
using System.Text.Json.Nodes;

namespace Mesh.DataPlane.Formatting;

/// <summary>The commands that tell of metadata: what filters have left for a request, and what is said of clusters and endpoints.</summary>
internal static class MetadataCommands
{
    /// <summary>Whose metadata there is, by Envoy's names in <c>%METADATA(TYPE:…)%</c>.</summary>
    public static IReadOnlyDictionary<string, MetadataSource> Sources { get; } = new Dictionary<string, MetadataSource>(StringComparer.Ordinal)
    {
        ["DYNAMIC"] = (in FormatContext c, string ns) => c.Metadata is { } metadata && metadata.TryGetValue(ns, out var value) ? value : null,
        ["ROUTE"] = (in FormatContext c, string ns) => c.Route?.Metadata?.Of(ns),
        ["CLUSTER"] = (in FormatContext c, string ns) => c.Record?.Cluster?.Current.Policy?.Metadata?.Of(ns),
        ["UPSTREAM_HOST"] = (in FormatContext c, string ns) => c.Endpoint?.Resource.Metadata?.Of(ns),
    };

    public static IEnumerable<(string Name, FormatCommand Command)> All =>
    [
        ("DYNAMIC_METADATA", Of(argument => Find(Sources["DYNAMIC"], argument.Split(':')))),
        ("CLUSTER_METADATA", Of(argument => Find(Sources["CLUSTER"], argument.Split(':')))),
        ("UPSTREAM_METADATA", Of(argument => Find(Sources["UPSTREAM_HOST"], argument.Split(':')))),
        ("METADATA", Of(OfType)),
    ];

    private delegate JsonNode? Lookup(in FormatContext context);

    private static Lookup OfType(string argument)
    {
        var parts = argument.Split(':');
        return Sources.TryGetValue(parts[0], out var source)
            ? Find(source, parts[1..])
            : throw new FormatException(parts[0] is "LISTENER" or "LISTENER_FILTER_CHAIN" or "VIRTUAL_HOST"
                ? $"metadata of {parts[0]} is not kept here; there are {string.Join(", ", Sources.Keys)}"
                : "the argument is TYPE:NAMESPACE:KEY*, the type one of " + string.Join(", ", Sources.Keys));
    }

    private static Lookup Find(MetadataSource source, string[] path)
    {
        if (path.Length == 0 || path[0].Length == 0)
        {
            throw new FormatException("a namespace must be named");
        }

        return (in FormatContext c) =>
        {
            JsonNode? node = source(c, path[0]);
            for (var i = 1; i < path.Length && node is not null; i++)
            {
                node = node is JsonObject parent && parent.TryGetPropertyValue(path[i], out var child) ? child : null;
            }

            return node;
        };
    }

    // A text is shown as it is, anything else as JSON; only texts and other simple values are cut off, which the parser's length does for those.
    private static FormatCommand Of(Func<string, Lookup> create)
        => new(FormatArgument.Required, LengthAllowed: true, argument =>
        {
            var find = create(argument);
            return (in FormatContext c) => find(c) is not { } node ? null
                : node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>()
                : node.ToJsonString(Compact);
        })
        {
            IsOfEnd = true,
            CreateJson = argument =>
            {
                var find = create(argument);
                return (in FormatContext c, Utf8Text text) =>
                {
                    if (find(c) is not { } node)
                    {
                        return false;
                    }

                    text.Append(node.ToJsonString(Compact));
                    return true;
                };
            },
        };

    private static readonly JsonSerializerOptions Compact = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
