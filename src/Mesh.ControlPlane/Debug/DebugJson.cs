using System.Text.Json.Nodes;
using Google.Protobuf.Reflection;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Model;
using Mesh.Xds.Json;

namespace Mesh.ControlPlane.Debug;

/// <summary>What several pages show, in one form.</summary>
internal static class DebugJson
{
    private static readonly TypeRegistry Types = XdsJson.TypesOf(typeof(DebugJson).Assembly);

    public static JsonObject Of(IReadOnlyDictionary<string, string> labels)
    {
        var json = new JsonObject();
        foreach (var (key, value) in labels.OrderBy(label => label.Key, StringComparer.Ordinal))
        {
            json[key] = value;
        }

        return json;
    }

    public static JsonArray Of(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);

    /// <summary>A document's spec in the fields that people write.</summary>
    public static JsonObject SpecOf(ConfigResource resource) => XdsJson.Of(resource.Spec, Types);

    /// <summary>What names a document, and where it stands.</summary>
    public static JsonObject Reference(ConfigResource resource) => new()
    {
        ["kind"] = resource.Kind.Kind,
        ["name"] = resource.Name,
        ["namespace"] = resource.Namespace,
        ["source"] = resource.Source.ToString(),
    };

    public static JsonObject Of(WorkloadInstance workload)
    {
        var ports = new JsonObject();
        foreach (var (name, address) in workload.Addresses)
        {
            ports[name] = address.ToString();
        }

        foreach (var (name, port) in workload.Ports)
        {
            ports[name] = $"{workload.Address}:{port}";
        }

        return new JsonObject
        {
            ["id"] = workload.Id,
            ["name"] = workload.Name,
            ["namespace"] = workload.Namespace,
            ["serviceAccount"] = workload.ServiceAccount,
            ["labels"] = Of(workload.Labels),
            ["address"] = workload.Address,
            ["ports"] = ports,
            ["cluster"] = workload.ClusterId,
            ["locality"] = workload.Locality.ToString(),
            ["mutualTls"] = workload.SpeaksMutualTls,
        };
    }
}
