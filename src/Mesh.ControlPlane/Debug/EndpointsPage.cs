using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Debug;

/// <summary>Who serves each port of each service, whoever asks.</summary>
internal sealed class EndpointsPage(DiscoveryServer discovery) : IDebugPage
{
    public string Name => "endpointz";

    public string Summary => "who serves each port of each service; ?service=<host or name>&port=<number or name>&subset=<name>&namespace=";

    public JsonNode Read(DebugQuery query)
    {
        var model = discovery.Model;
        return new JsonArray(
        [
            .. from service in model.Config.Services
               where query.Allows("namespace", service.Namespace) && (query.Allows("service", service.Host) || query.Allows("service", service.Name))
               orderby service.Host, service.Namespace
               from port in service.Ports
               where query.Allows("port", port.Name) || query.Allows("port", port.Number.ToString(CultureInfo.InvariantCulture))
               select Describe(model, service, port, query["subset"]),
        ]);
    }

    private static JsonObject Describe(MeshModel model, MeshService service, MeshServicePort port, string? subset)
    {
        var rule = model.Config.FindDestinationRule(service.Namespace, service);
        var endpoints = new JsonArray();
        foreach (var instance in model.EndpointsOf(service).Instances)
        {
            var subsets = rule?.SubsetNames.Where(name => instance.IsOf(rule.FindSubset(name)!)).Order(StringComparer.Ordinal).ToArray() ?? [];
            if (instance.AddressFor(service, port) is not { } address || (subset is not null && !subsets.Contains(subset)))
            {
                continue;
            }

            endpoints.Add(new JsonObject
            {
                ["address"] = address.ToString(),
                ["workload"] = instance.Name,
                ["namespace"] = instance.Namespace,
                ["serviceAccount"] = instance.ServiceAccount,
                ["labels"] = DebugJson.Of(instance.Labels),
                ["subsets"] = DebugJson.Of(subsets),
                ["locality"] = instance.Locality.ToString(),
                ["weight"] = instance.Weight,
                ["cluster"] = instance.ClusterId,
                ["mutualTls"] = instance.SpeaksMutualTls,
            });
        }

        return new JsonObject
        {
            ["service"] = string.Create(CultureInfo.InvariantCulture, $"{service.Host}:{port.Number}"),
            ["namespace"] = service.Namespace,
            ["port"] = port.Name,
            ["endpoints"] = endpoints,
        };
    }
}
