using System.Text.Json.Nodes;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Debug.Describing;

/// <summary>A service as the clients of a namespace see it: who serves it, and the rules that govern calls to it.</summary>
internal static class ServiceDescription
{
    private const int MaxEndpoints = 100;

    /// <param name="model">The mesh.</param>
    /// <param name="service">The service.</param>
    /// <param name="clientNamespace">The clients' namespace.</param>
    /// <param name="workload">One of those who serve, whose part in it is told; <see langword="null"/>: nobody in particular.</param>
    public static JsonObject Of(MeshModel model, MeshService service, string clientNamespace, WorkloadInstance? workload = null)
    {
        var config = model.Config;
        var rule = config.FindDestinationRule(clientNamespace, service);
        var virtualService = config.FindVirtualService(clientNamespace, service.Host);
        return new JsonObject
        {
            ["host"] = service.Host,
            ["name"] = service.Name,
            ["namespace"] = service.Namespace,
            ["document"] = DebugJson.Reference(service.Source),
            ["seenFrom"] = clientNamespace,
            ["isVisible"] = config.FindService(clientNamespace, service.Host) is not null,
            ["meshExternal"] = service.IsExternal,
            ["ports"] = new JsonArray([.. service.Ports.Select(port => new JsonObject
            {
                ["name"] = port.Name,
                ["port"] = port.Number,
                ["protocol"] = RegistryPage.ProtocolOf(port),
                ["target"] = workload?.AddressFor(service, port)?.ToString(),
            })]),
            ["endpoints"] = workload is null ? EndpointsOf(model, service, rule) : null,
            ["destinationRule"] = rule is null ? null : Describe(rule, workload),
            ["virtualService"] = virtualService is null ? null : Describe(config, virtualService, service, rule, workload),
            ["mutualTls"] = config.Policies.ModeOf(service.Namespace).ToString().ToUpperInvariant(),
            ["autoMutualTls"] = config.Mesh.HasAutoMutualTls,
        };
    }

    private static JsonArray EndpointsOf(MeshModel model, MeshService service, DestinationRuleSet? rule) => new(
    [
        .. from instance in model.EndpointsOf(service).Instances.Take(MaxEndpoints)
           from port in service.Ports
           let address = instance.AddressFor(service, port)
           where address is not null
           select new JsonObject
           {
               ["address"] = address.ToString(),
               ["workload"] = $"{instance.Name}.{instance.Namespace}",
               ["subsets"] = DebugJson.Of(SubsetsOf(rule, instance)),
           },
    ]);

    private static JsonObject Describe(DestinationRuleSet rule, WorkloadInstance? workload)
    {
        var described = DebugJson.Reference(rule.Source);
        described["host"] = rule.Host;
        described["subsets"] = DebugJson.Of(rule.SubsetNames);
        described["matchingSubsets"] = workload is null ? null : DebugJson.Of(SubsetsOf(rule, workload));
        described["trafficPolicy"] = TrafficPolicyWords.Of(rule.TrafficPolicy);
        return described;
    }

    private static JsonObject Describe(ConfigIndex config, VirtualServiceRule rule, MeshService service, DestinationRuleSet? destinations, WorkloadInstance? workload)
    {
        var described = DebugJson.Reference(rule.Source);
        described["routes"] = new JsonArray([.. rule.Spec.Http.Select(route => new JsonObject
        {
            ["name"] = route.Name.Length > 0 ? route.Name : null,
            ["when"] = RouteWords.WhenOf(route),
            ["to"] = RouteWords.WhereOf(route),
            ["also"] = DebugJson.Of(RouteWords.AlsoOf(route)),
            ["reaches"] = workload is null || route.Delegate is not null ? null : route.Route.Any(to => Reaches(to.Destination)),
        })]);
        described["connectionRoutes"] = rule.Spec.Tls.Count + rule.Spec.Tcp.Count;
        return described;

        bool Reaches(Istio.Networking.V1Alpha3.Destination? to)
            => to is not null
                && Hostname.Resolve(to.Host, rule.Source.Namespace, config.ClusterDomain) == service.Host
                && (to.Subset.Length == 0 || SubsetsOf(destinations, workload!).Contains(to.Subset));
    }

    private static string[] SubsetsOf(DestinationRuleSet? rule, WorkloadInstance workload)
        => rule is null ? [] : [.. rule.SubsetNames.Where(name => workload.IsOf(rule.FindSubset(name)!)).Order(StringComparer.Ordinal)];
}
