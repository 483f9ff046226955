using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Analysis;

/// <summary>Host names in place of addresses, where nobody resolves them.</summary>
internal static class AddressAnalyzer
{
    public static void Analyze(ConfigResource resource, WorkloadEntry spec, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        var id = ServiceEntryReader.IdOf(resource);
        if (config.WorkloadEntries.FirstOrDefault(entry => entry.Id == id) is not { IsNamed: true } workload)
        {
            return;
        }

        var unresolved = config.Services
            .Where(service => service is { Resolution: ServiceResolution.Endpoints, Selector: { Count: > 0 } selector }
                && service.Namespace == workload.Namespace
                && workload.Matches(selector))
            .Select(service => service.Host)
            .ToArray();
        if (unresolved.Length > 0)
        {
            diagnostics.Warn(
                resource,
                DiagnosticCodes.NotApplied,
                "spec.address",
                $"\"{spec.Address}\" is no IP address and is left out of {string.Join(", ", unresolved)}, whose endpoints are addresses; names need resolution DNS");
        }
    }
}
