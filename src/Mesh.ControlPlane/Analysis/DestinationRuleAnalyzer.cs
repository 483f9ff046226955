using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Analysis;

/// <summary>What is wrong between a DestinationRule and the rest of the mesh.</summary>
internal static class DestinationRuleAnalyzer
{
    public static void Analyze(ConfigResource resource, DestinationRule spec, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        var host = Hostname.Resolve(spec.Host, resource.Namespace, config.ClusterDomain);
        if (!Hostname.IsWildcard(host) && HostLookup.Find(config, resource.Namespace, host) is null)
        {
            diagnostics.Warn(
                resource,
                DiagnosticCodes.ReferencedResourceNotFound,
                "spec.host",
                $"no service has the host {host}, so the rule applies to nothing; {HostLookup.Suggestion(config, host, config.ClusterDomain)}");
        }

        if (!config.DestinationRules.TryGetValue((resource.Namespace, host), out var merged) || merged.Rules[0].Source.Key == resource.Key)
        {
            return;
        }

        for (var i = 0; i < spec.Subsets.Count; i++)
        {
            var first = merged.Rules.FirstOrDefault(rule => rule.Spec.Subsets.Any(subset => subset.Name == spec.Subsets[i].Name));
            if (first.Source is not null && first.Source.Key != resource.Key)
            {
                diagnostics.Warn(
                    resource,
                    DiagnosticCodes.DuplicateDeclaration,
                    $"spec.subsets[{i}]",
                    $"the subset {spec.Subsets[i].Name} of {host} is already defined by DestinationRule "
                        + $"{first.Source.Namespace}/{first.Source.Name}, which counts");
            }
        }

        var policy = merged.Rules.First(rule => rule.Spec.TrafficPolicy is not null || rule.Source.Key == resource.Key);
        if (spec.TrafficPolicy is not null && policy.Source.Key != resource.Key)
        {
            diagnostics.Warn(
                resource,
                DiagnosticCodes.DuplicateDeclaration,
                "spec.trafficPolicy",
                $"the traffic policy of {host} is already given by DestinationRule {policy.Source.Namespace}/{policy.Source.Name}, which counts");
        }
    }
}
