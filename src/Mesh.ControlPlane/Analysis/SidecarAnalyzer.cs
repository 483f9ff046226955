using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Analysis;

/// <summary>What is wrong between a Sidecar, the other Sidecars and the services that it names.</summary>
internal static class SidecarAnalyzer
{
    public static void Analyze(SidecarRule rule, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        AnalyzeConflicts(rule, config, diagnostics);
        AnalyzeHosts(rule, config, diagnostics);
        AnalyzeEgressProxy(rule, config, diagnostics);
    }

    private static void AnalyzeConflicts(SidecarRule rule, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        var source = rule.Source;
        if (rule.Selector is not { } selector)
        {
            var first = config.Sidecars.DefaultOf(source.Namespace)!;
            if (!ReferenceEquals(first, rule))
            {
                diagnostics.Error(
                    source,
                    DiagnosticCodes.SeveralDefaultSidecars,
                    "spec.workloadSelector",
                    $"the namespace {source.Namespace} has a Sidecar without a workloadSelector already, {first.Source}; the older one counts, nothing of this "
                    + "one applies: give it a workloadSelector, or remove one of the two");
            }

            return;
        }

        // Whoever carries the labels of one of the two carries those of the other: other pairs clash only where a workload carries both.
        var older = config.Sidecars.Rules.FirstOrDefault(other => other.Selector is not null && other.Source.Namespace == source.Namespace
            && (ReferenceEquals(other, rule) || IsPartOf(other.Selector, selector) || IsPartOf(selector, other.Selector)));
        if (older is not null && !ReferenceEquals(older, rule))
        {
            diagnostics.Error(
                source,
                DiagnosticCodes.ConflictingSidecarSelectors,
                "spec.workloadSelector.labels",
                $"selects workloads that {older.Source} selects as well; for those the older one counts, and nothing of this one applies: make the labels exclude each other");
        }
    }

    private static bool IsPartOf(IReadOnlyDictionary<string, string> labels, IReadOnlyDictionary<string, string> others)
        => labels.All(label => others.TryGetValue(label.Key, out var value) && value == label.Value);

    /// <summary>A wildcard may well be waiting for what comes; a full name that leads nowhere is misspelt.</summary>
    private static void AnalyzeHosts(SidecarRule rule, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        for (var i = 0; i < rule.Spec.Egress.Count; i++)
        {
            for (var j = 0; j < rule.Spec.Egress[i].Hosts.Count; j++)
            {
                var entry = rule.Spec.Egress[i].Hosts[j];
                var (@namespace, host) = (entry[..entry.IndexOf('/')], entry[(entry.IndexOf('/') + 1)..].ToLowerInvariant());
                if (@namespace == "~" || Hostname.IsWildcard(host) || (@namespace == "." && rule.Source.Namespace == config.Mesh.RootNamespace))
                {
                    continue;
                }

                var own = @namespace == "." ? rule.Source.Namespace : @namespace;
                if (!config.ServicesOf(host).Any(service => own is "*" || service.Namespace == own)
                    && !config.VirtualServicesOf(host).Any(found => own is "*" || found.Source.Namespace == own))
                {
                    var elsewhere = config.ServicesOf(host) is [var other, ..] ? $"; it is declared in the namespace {other.Namespace}: write \"{other.Namespace}/{host}\"" : $"; {HostLookup.Suggestion(config, host, config.ClusterDomain)}";
                    diagnostics.Warn(
                        rule.Source,
                        DiagnosticCodes.ReferencedResourceNotFound,
                        $"spec.egress[{i}].hosts[{j}]",
                        $"nothing declares {host}{(own is "*" ? "" : $" in the namespace {own}")}, so nothing is let in by it{elsewhere}");
                }
            }
        }
    }

    private static void AnalyzeEgressProxy(SidecarRule rule, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        if (rule.Spec.OutboundTrafficPolicy?.EgressProxy is not { } proxy)
        {
            return;
        }

        // As in Istio it has to be among the hosts that the Sidecar lets in.
        var scope = new ClientScope(config, rule.Source.Namespace, [rule]);
        if (scope.FindDestination(proxy.Host.ToLowerInvariant())?.FindPort(proxy.Port.Number) is null)
        {
            diagnostics.Error(
                rule.Source,
                DiagnosticCodes.ReferencedResourceNotFound,
                "spec.outboundTrafficPolicy.egressProxy.host",
                $"{proxy.Host}:{proxy.Port.Number} is not among the hosts that egress lets in, so requests to unknown hosts fail: name it in egress[].hosts, and declare it if nothing does");
        }
    }
}
