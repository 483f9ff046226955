using System.Text.Json.Nodes;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Mesh.Xds.Json;

namespace Mesh.Cli.ProxyConfig;

/// <summary>A configuration dump in Envoy's shape, read.</summary>
internal sealed class ConfigDump
{
    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithTypeRegistry(XdsJson.Types).WithIgnoreUnknownFields(true));
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default.WithTypeRegistry(XdsJson.Types));

    private readonly List<string> _unreadable = [];

    public List<Listener> Listeners { get; } = [];

    public List<RouteConfiguration> Routes { get; } = [];

    public List<Cluster> Clusters { get; } = [];

    public List<ClusterLoadAssignment> Endpoints { get; } = [];

    public List<Secret> Secrets { get; } = [];

    /// <summary>What the proxy was started with, as far as it is known.</summary>
    public JsonNode? Bootstrap { get; private set; }

    /// <summary>What is in it and cannot be shown, and why.</summary>
    public IReadOnlyList<string> Unreadable => _unreadable;

    /// <summary>Reads what a control plane or a process has sent. What is not understood is told and left out.</summary>
    public static ConfigDump Of(JsonNode json)
    {
        var dump = new ConfigDump();
        foreach (var config in json["configs"] as JsonArray ?? [])
        {
            var type = TextOf(config?["@type"]) ?? "";
            switch (type[(type.LastIndexOf('.') + 1)..])
            {
                case "BootstrapConfigDump":
                    dump.Bootstrap = config!["bootstrap"]?.DeepClone();
                    break;
                case "ListenersConfigDump":
                    dump.Read(config!, dump.Listeners, ["static_listeners", "dynamic_listeners"], entry => entry["listener"] ?? entry["active_state"]?["listener"] ?? entry["warming_state"]?["listener"]);
                    break;
                case "RoutesConfigDump":
                    dump.Read(config!, dump.Routes, ["static_route_configs", "dynamic_route_configs"], entry => entry["route_config"]);
                    break;
                case "ClustersConfigDump":
                    dump.Read(config!, dump.Clusters, ["static_clusters", "dynamic_active_clusters", "dynamic_warming_clusters"], entry => entry["cluster"]);
                    break;
                case "EndpointsConfigDump":
                    dump.Read(config!, dump.Endpoints, ["static_endpoint_configs", "dynamic_endpoint_configs"], entry => entry["endpoint_config"]);
                    break;
                case "SecretsConfigDump":
                    dump.Read(config!, dump.Secrets, ["static_secrets", "dynamic_active_secrets", "dynamic_warming_secrets"], entry => entry["secret"]);
                    break;
            }
        }

        return dump;
    }

    /// <summary>Messages as <c>istioctl -o json</c> writes them.</summary>
    public static JsonArray ToJson(IEnumerable<IMessage> messages) => new([.. messages.Select(message => JsonNode.Parse(Formatter.Format(message)))]);

    private void Read<T>(JsonNode config, List<T> into, string[] groups, Func<JsonObject, JsonNode?> resourceOf)
        where T : class, IMessage, new()
    {
        foreach (var entry in groups.SelectMany(group => (config[group] ?? config[CamelCase(group)]) as JsonArray ?? []).OfType<JsonObject>())
        {
            if (resourceOf(entry) is not JsonObject resource)
            {
                continue;
            }

            // The type is known; the field that says it is no field of the message.
            resource.Remove("@type");
            try
            {
                into.Add(Parser.Parse<T>(resource.ToJsonString()));
            }
            catch (Exception e) when (e is InvalidProtocolBufferException or InvalidJsonException or InvalidOperationException)
            {
                _unreadable.Add($"{typeof(T).Name} {TextOf(resource["name"] ?? resource["cluster_name"])} cannot be shown: {e.Message}");
            }
        }
    }

    private static string? TextOf(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static string CamelCase(string name)
        => string.Concat(name.Split('_').Select((part, i) => i == 0 ? part : char.ToUpperInvariant(part[0]) + part[1..]));
}
