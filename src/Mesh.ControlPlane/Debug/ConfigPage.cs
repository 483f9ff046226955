using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Debug;

/// <summary>The documents in force.</summary>
internal sealed class ConfigPage(IConfigStore store) : IDebugPage
{
    public string Name => "configz";

    public string Summary => "the documents in force, each with file and line, and what is said of them; ?kind=&name=&namespace=";

    public JsonNode Read(DebugQuery query)
    {
        var resources = store.Current.Resources
            .Where(resource => query.Allows("kind", resource.Kind.Kind) && query.Allows("name", resource.Name) && query.Allows("namespace", resource.Namespace))
            .ToArray();
        return new JsonArray([.. resources.Select(resource => Describe(resource))]);
    }

    private JsonObject Describe(ConfigResource resource)
    {
        var identity = $"{resource.Kind.Kind} {resource.Namespace}/{resource.Name}";
        return new JsonObject
        {
            ["apiVersion"] = resource.Kind.Group.Length == 0 ? resource.Kind.Versions[0] : $"{resource.Kind.Group}/{resource.Kind.Versions[0]}",
            ["kind"] = resource.Kind.Kind,
            ["metadata"] = new JsonObject
            {
                ["name"] = resource.Name,
                ["namespace"] = resource.Namespace,
                ["labels"] = DebugJson.Of(resource.Labels),
                // kubectl keeps the whole document in an annotation, keys and all.
                ["annotations"] = resource.Kind == ConfigKinds.Secret ? null : DebugJson.Of(resource.Annotations),
                ["creationTimestamp"] = resource.Created.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
            },
            ["spec"] = resource.Kind == ConfigKinds.Secret ? NamesOf((K8s.V1.Secret)resource.Spec) : DebugJson.SpecOf(resource),
            ["source"] = new JsonObject { ["file"] = resource.Source.File, ["line"] = resource.Source.Line },
            ["messages"] = DebugJson.Of(store.Diagnostics.Where(diagnostic => diagnostic.Resource == identity).Select(diagnostic => diagnostic.ToString())),
        };
    }

    /// <summary>Of a Secret only which entries it has.</summary>
    private static JsonObject NamesOf(K8s.V1.Secret secret)
        => new() { ["type"] = secret.Type, ["entries"] = DebugJson.Of(secret.Data.Keys.Order(StringComparer.Ordinal)) };
}
