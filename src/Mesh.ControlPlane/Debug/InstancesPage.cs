using System.Text.Json.Nodes;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Registry;

namespace Mesh.ControlPlane.Debug;

/// <summary>The workloads, and the services that each is part of.</summary>
internal sealed class InstancesPage(DiscoveryServer discovery, ServiceRegistry registry) : IDebugPage
{
    public string Name => "instancesz";

    public string Summary => "the workloads, registered and written down, and the services that each is part of; ?workload=<name>&namespace=";

    public JsonNode Read(DebugQuery query)
    {
        var config = discovery.Model.Config;
        return new JsonArray(
        [
            .. registry.Current.Values.Select(workload => (Workload: workload, Origin: "registered"))
                .Concat(config.WorkloadEntries.Select(workload => (Workload: workload, Origin: "WorkloadEntry")))
                .Where(found => query.Allows("namespace", found.Workload.Namespace) && query.Allows("workload", found.Workload.Name))
                .OrderBy(found => found.Workload.Id, StringComparer.Ordinal)
                .Select(found => Describe(config, found.Workload, found.Origin)),
        ]);
    }

    private static JsonObject Describe(ConfigIndex config, WorkloadInstance workload, string origin)
    {
        var described = DebugJson.Of(workload);
        described["origin"] = origin;
        described["services"] = DebugJson.Of(config.ServicesSelecting(workload.Namespace, workload.Labels).Select(service => service.Host));
        return described;
    }
}
