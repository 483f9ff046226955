using System.Text.Json.Nodes;
using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Debug;

/// <summary>The Telemetry documents, by namespace.</summary>
internal sealed class TelemetryPage(IConfigStore store) : IDebugPage
{
    private const string Kind = "Telemetry";

    public string Name => "telemetryz";

    public string Summary => "the Telemetry documents by namespace";

    public JsonNode Read(DebugQuery query)
    {
        var namespaces = new JsonObject();
        foreach (var group in store.Current.Resources.Where(resource => resource.Kind.Kind == Kind).GroupBy(resource => resource.Namespace, StringComparer.Ordinal))
        {
            namespaces[group.Key] = new JsonArray([.. group.Select(resource =>
            {
                var described = DebugJson.Reference(resource);
                described["spec"] = DebugJson.SpecOf(resource);
                return described;
            })]);
        }

        return new JsonObject { ["namespaceToTelemetries"] = namespaces };
    }
}
