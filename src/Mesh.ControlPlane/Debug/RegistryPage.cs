using System.Text.Json.Nodes;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Debug;

/// <summary>The services that the mesh knows.</summary>
internal sealed class RegistryPage(DiscoveryServer discovery) : IDebugPage
{
    public string Name => "registryz";

    public string Summary => "the services: hosts, ports, who is selected, how many endpoints there are, and the document of each; ?service=<host or name>&namespace=";

    public JsonNode Read(DebugQuery query)
    {
        var model = discovery.Model;
        return new JsonArray(
        [
            .. model.Config.Services
                .Where(service => query.Allows("namespace", service.Namespace) && (query.Allows("service", service.Host) || query.Allows("service", service.Name)))
                .OrderBy(service => service.Host, StringComparer.Ordinal)
                .ThenBy(service => service.Namespace, StringComparer.Ordinal)
                .Select(service => Describe(model, service)),
        ]);
    }

    public static string ProtocolOf(MeshServicePort port) => port.Protocol switch
    {
        PortProtocol.Auto => "UnsupportedProtocol",
        PortProtocol.GrpcWeb => "GRPC-Web",
        var protocol => protocol.ToString().ToUpperInvariant(),
    };

    private static JsonObject Describe(MeshModel model, MeshService service) => new()
    {
        ["hostname"] = service.Host,
        ["name"] = service.Name,
        ["namespace"] = service.Namespace,
        ["kind"] = service.Source.Kind.Kind,
        ["source"] = service.Source.Source.ToString(),
        ["ports"] = new JsonArray([.. service.Ports.Select(port => new JsonObject
        {
            ["name"] = port.Name,
            ["port"] = port.Number,
            ["protocol"] = ProtocolOf(port),
            ["targetPort"] = port.TargetPort.Length > 0 ? port.TargetPort : null,
        })]),
        ["addresses"] = DebugJson.Of(service.Addresses),
        ["resolution"] = service.Resolution switch
        {
            ServiceResolution.Endpoints => "ClientSideLB",
            ServiceResolution.Dns => "DNSLB",
            ServiceResolution.DnsRoundRobin => "DNSRoundRobinLB",
            _ => "Passthrough",
        },
        ["meshExternal"] = service.IsExternal,
        ["externalName"] = service.ExternalName,
        ["selector"] = service.Selector is { } selector ? DebugJson.Of(selector) : null,
        ["endpoints"] = model.EndpointsOf(service).Instances.Count,
        ["accounts"] = DebugJson.Of(model.EndpointsOf(service).Accounts),
    };
}
