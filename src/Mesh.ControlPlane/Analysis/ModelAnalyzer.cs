using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Analysis;

/// <summary>Finds what each document by itself cannot know: references that lead nowhere, rules in each other's way.</summary>
internal static class ModelAnalyzer
{
    public static void Analyze(ConfigSnapshot snapshot, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        foreach (var (resource, spec) in snapshot.Of<VirtualService>())
        {
            VirtualServiceAnalyzer.Analyze(resource, spec, config, diagnostics);
        }

        foreach (var (resource, spec) in snapshot.Of<DestinationRule>())
        {
            DestinationRuleAnalyzer.Analyze(resource, spec, config, diagnostics);
        }

        foreach (var sidecar in config.Sidecars.Rules)
        {
            SidecarAnalyzer.Analyze(sidecar, config, diagnostics);
        }

        PolicyAnalyzer.Analyze(config, diagnostics);
        TelemetryAnalyzer.Analyze(config, diagnostics);
        ProxyConfigAnalyzer.Analyze(config, diagnostics);
        foreach (var (resource, spec) in snapshot.Of<WorkloadEntry>())
        {
            AddressAnalyzer.Analyze(resource, spec, config, diagnostics);
        }
    }
}
