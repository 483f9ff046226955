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

        AnalyzePorts(resource, spec, host, config, diagnostics);
        CredentialAnalyzer.Analyze(resource, spec, config, diagnostics);
        if (config.DestinationRules.TryGetValue((resource.Namespace, host), out var rules))
        {
            AnalyzeMerge(resource, spec, host, rules.MergedWith(resource), diagnostics);
        }
    }

    private static void AnalyzePorts(ConfigResource resource, DestinationRule spec, string host, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        if (Hostname.IsWildcard(host) || HostLookup.Find(config, resource.Namespace, host) is not { } service)
        {
            return;
        }

        foreach (var (policy, path) in PoliciesOf(spec))
        {
            AnalyzeHttp2(resource, policy.ConnectionPool, $"{path}.connectionPool", service.Ports, diagnostics);
            for (var i = 0; i < policy.PortLevelSettings.Count; i++)
            {
                var settings = policy.PortLevelSettings[i];
                AnalyzeHttp2(
                    resource,
                    settings.ConnectionPool,
                    $"{path}.portLevelSettings[{i}].connectionPool",
                    service.Ports.Where(own => own.Number == settings.Port?.Number),
                    diagnostics);
                if (settings.Port is { } port && service.FindPort(port.Number) is null)
                {
                    diagnostics.Warn(
                        resource,
                        DiagnosticCodes.ReferencedResourceNotFound,
                        $"{path}.portLevelSettings[{i}].port.number",
                        $"{host} has no port {port.Number} (it has {string.Join(", ", service.Ports.Select(own => own.Number))}), so the settings apply to nothing");
                }
            }
        }
    }

    /// <summary>HTTP/2 connections of clients are not counted by their requests; where it would have been silently without effect it is said.</summary>
    private static void AnalyzeHttp2(
        ConfigResource resource,
        ConnectionPoolSettings? pool,
        string path,
        IEnumerable<MeshServicePort> ports,
        ModelDiagnostics diagnostics)
    {
        if (pool?.Http is not { MaxRequestsPerConnection: > 0 } http)
        {
            return;
        }

        var upgraded = http.H2UpgradePolicy == ConnectionPoolSettings.Types.HTTPSettings.Types.H2UpgradePolicy.Upgrade;
        var http2 = ports.Where(port => port.Protocol.IsHttp2() || (upgraded && port.Protocol is (PortProtocol.Http or PortProtocol.Auto))).Select(port => port.Number).ToArray();
        if (http2.Length > 0)
        {
            diagnostics.Warn(
                resource,
                DiagnosticCodes.NotApplied,
                $"{path}.http.maxRequestsPerConnection",
                $"is not applied to HTTP/2 ({(http2.Length == 1 ? "port" : "ports")} {string.Join(", ", http2)}): use tcp.maxConnectionDuration to renew connections");
        }
    }

    public static IEnumerable<(TrafficPolicy Policy, string Path)> PoliciesOf(DestinationRule spec)
        => spec.Subsets.Select((subset, i) => (subset.TrafficPolicy, $"spec.subsets[{i}].trafficPolicy"))
            .Prepend((spec.TrafficPolicy, "spec.trafficPolicy"))
            .Where(policy => policy.TrafficPolicy is not null);

    private static void AnalyzeMerge(
        ConfigResource resource,
        DestinationRule spec,
        string host,
        IReadOnlyList<(ConfigResource Source, DestinationRule Spec)> merged,
        ModelDiagnostics diagnostics)
    {
        if (merged.Count == 0 || merged[0].Source.Key == resource.Key)
        {
            return;
        }

        for (var i = 0; i < spec.Subsets.Count; i++)
        {
            var first = merged.First(rule => rule.Source.Key == resource.Key || rule.Spec.Subsets.Any(subset => subset.Name == spec.Subsets[i].Name)).Source;
            if (first.Key != resource.Key)
            {
                diagnostics.Warn(
                    resource,
                    DiagnosticCodes.DuplicateDeclaration,
                    $"spec.subsets[{i}]",
                    $"the subset {spec.Subsets[i].Name} of {host} is already defined by DestinationRule {first.Namespace}/{first.Name}, which counts");
            }
        }

        var policy = merged.First(rule => rule.Spec.TrafficPolicy is not null || rule.Source.Key == resource.Key).Source;
        if (spec.TrafficPolicy is not null && policy.Key != resource.Key)
        {
            diagnostics.Warn(
                resource,
                DiagnosticCodes.DuplicateDeclaration,
                "spec.trafficPolicy",
                $"the traffic policy of {host} is already given by DestinationRule {policy.Namespace}/{policy.Name}, which counts");
        }
    }
}
