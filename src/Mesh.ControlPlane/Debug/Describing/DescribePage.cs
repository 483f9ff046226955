using System.Text.Json.Nodes;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Registry;

namespace Mesh.ControlPlane.Debug.Describing;

/// <summary>Which rules and policies hit a workload, a service or a host: found by what makes the resources, so that it cannot be otherwise.</summary>
internal sealed class DescribePage(DiscoveryServer discovery, ServiceRegistry registry, ConnectedProxies proxies) : IDebugPage
{
    private const string DefaultNamespace = "default";
    private const int MaxNamed = 20;

    public string Name => "describez";

    public string Summary => "which rules and policies hit something; ?workload=<name>.<namespace>, or ?service=<name>.<namespace>, or ?host=<authority>, the latter two with &from=<namespace of the caller>";

    public JsonNode Read(DebugQuery query)
    {
        var model = discovery.Model;
        return query["workload"] is { } workload ? OfWorkload(model, workload)
            : query["service"] is { } service ? OfService(model, service, query["from"])
            : query["host"] is { } host ? OfHost(model, host, query["from"] ?? DefaultNamespace)
            : throw new DebugQueryException(400, "describe what? give ?workload=<name>.<namespace>, ?service=<name>.<namespace> or ?host=<authority>");
    }

    private JsonObject OfWorkload(MeshModel model, string name)
    {
        var config = model.Config;
        var (workload, connected) = Find(config, name);
        var services = config.Services.Where(service => model.EndpointsOf(service).Instances.Any(instance => instance.Id == workload.Id)).OrderBy(service => service.Host, StringComparer.Ordinal).ToArray();
        var proxy = connected is null ? null : new JsonObject
        {
            ["name"] = connected.Name,
            ["version"] = connected.Version,
            ["types"] = new JsonArray([.. connected.Status.Types.Select(type => new JsonObject { ["name"] = TypeNames.Of(type.TypeUrl), ["error"] = type.LastNack })]),
        };
        var sidecar = config.Sidecars.FindSelecting(workload.Namespace, workload.Labels);
        return new JsonObject
        {
            ["workload"] = DebugJson.Of(workload),
            ["principal"] = workload.Identity is { } identity ? $"spiffe://{config.Mesh.TrustDomains.Own}/{identity}" : null,
            ["proxy"] = proxy,
            ["services"] = new JsonArray([.. services.Select(service => ServiceDescription.Of(model, service, workload.Namespace, workload))]),
            ["policies"] = PolicyDescription.Of(config.Policies.Of(workload.Namespace, workload.Labels), services.SelectMany(service => service.Ports).Select(port => port.Number)),
            ["sidecar"] = sidecar is null ? null : DebugJson.Reference(sidecar.Source),
        };
    }

    private static JsonObject OfService(MeshModel model, string name, string? from)
    {
        // A name, a name and a namespace, or a host.
        var config = model.Config;
        var found = config.Services
            .Where(service => service.Host == name || $"{service.Name}.{service.Namespace}" == name || (service.Name == name && service.Namespace == (from ?? DefaultNamespace)))
            .ToArray();
        return found.Length switch
        {
            0 => throw new DebugQueryException(404, $"there is no service {name}; there are {Some(config.Services.Select(service => $"{service.Name}.{service.Namespace}"))}"),
            _ => new JsonObject { ["services"] = new JsonArray([.. found.Select(service => ServiceDescription.Of(model, service, from ?? service.Namespace))]) },
        };
    }

    private static JsonObject OfHost(MeshModel model, string host, string from)
    {
        var config = model.Config;
        var described = new JsonObject { ["host"] = host, ["from"] = from, ["outboundTrafficPolicy"] = config.Mesh.OutboundTraffic == OutboundTraffic.RegistryOnly ? "REGISTRY_ONLY" : "ALLOW_ANY" };
        if (config.Resolve(from, host) is not { } target)
        {
            return described;
        }

        described["means"] = $"{target.Host}:{target.Port}";
        if (config.FindService(from, target.Host) is { } service)
        {
            described["services"] = new JsonArray(ServiceDescription.Of(model, service, from));
        }

        return described;
    }

    private (WorkloadInstance Workload, ConnectedProxy? Proxy) Find(ConfigIndex config, string name)
    {
        // 1. Somebody who is connected.
        DebugQueryException? none = null;
        try
        {
            var proxy = proxies.Find(name);
            return (registry.Current.GetValueOrDefault(proxy.Status.Node!.Id) ?? proxy.Metadata.ToInstance(proxy.Status.Connection.RemoteEndPoint, []), proxy);
        }
        catch (DebugQueryException e) when (e.Status == 404)
        {
            none = e;
        }

        // 2. Somebody whom a document lists.
        var entries = config.WorkloadEntries.Where(entry => $"{entry.Name}.{entry.Namespace}" == name || (entry.Name == name && entry.Namespace == DefaultNamespace)).ToArray();
        return entries.Length > 0
            ? (entries[0], null)
            : throw new DebugQueryException(404, config.WorkloadEntries.Count == 0 ? none.Message : $"{none.Message}; written down are {Some(config.WorkloadEntries.Select(entry => $"{entry.Name}.{entry.Namespace}"))}");
    }

    private static string Some(IEnumerable<string> names)
    {
        var all = names.Order(StringComparer.Ordinal).ToArray();
        return all.Length == 0 ? "none" : string.Join(", ", all.Take(MaxNamed)) + (all.Length > MaxNamed ? $" and {all.Length - MaxNamed} more" : "");
    }
}
