using Google.Protobuf;
using Istio.Security.V1Beta1;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators.Inbound;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Model.Policies;

namespace Mesh.ControlPlane.Analysis;

/// <summary>What is wrong between security policies and the rest of the mesh.</summary>
internal static class PolicyAnalyzer
{
    public static void Analyze(ConfigIndex config, ModelDiagnostics diagnostics)
    {
        foreach (var policy in config.Policies.PeerAuthentications.All)
        {
            Selection(policy, config, diagnostics);
            AnalyzePeers(policy, config, diagnostics);
        }

        foreach (var policy in config.Policies.RequestAuthentications.All)
        {
            Selection(policy, config, diagnostics);
        }

        foreach (var policy in config.Policies.AuthorizationPolicies.All)
        {
            Selection(policy, config, diagnostics);
            AnalyzeAuthorization(policy, config, diagnostics);
        }
    }

    /// <summary>Labels that contradict every Service's are those of no workload that anybody could call.</summary>
    private static void Selection<T>(PolicyRule<T> policy, ConfigIndex config, ModelDiagnostics diagnostics)
        where T : IMessage
    {
        if (policy.Selector is not { } selector)
        {
            return;
        }

        var workloads = config.WorkloadEntries.Where(entry => IsInScope(policy, entry.Namespace, config)).ToArray();
        var services = ServicesInScope(policy, config).ToArray();
        if (services.Length > 0 && !services.Any(service => IsCompatible(service.Selector!, selector)) && !Array.Exists(workloads, entry => policy.Selects(entry.Labels)))
        {
            diagnostics.Warn(
                policy.Source,
                DiagnosticCodes.NoMatchingWorkloads,
                "spec.selector.matchLabels",
                $"no Service selects workloads with the labels {string.Join(", ", selector.Select(label => $"{label.Key}={label.Value}"))}, so the policy is for nobody that can be called"
                + (policy.Namespace == config.Mesh.RootNamespace ? "" : $"; it is for workloads of its own namespace, {policy.Namespace}"));
        }
    }

    private static void AnalyzePeers(PolicyRule<PeerAuthentication> policy, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        if (policy.Selector is not null && policy.Namespace == config.Mesh.RootNamespace)
        {
            diagnostics.Warn(
                policy.Source,
                DiagnosticCodes.NotApplied,
                "spec.selector",
                $"{policy.Namespace} is the root namespace, where a PeerAuthentication with a selector applies to nothing, with Istio neither: move it to the namespace of the workloads");
            return;
        }

        var older = config.Policies.PeerAuthentications.Of(policy.Namespace)
            .TakeWhile(other => !ReferenceEquals(other, policy))
            .FirstOrDefault(other => (other.Selector is null) == (policy.Selector is null) && (policy.Selector is null || IsPartOf(other.Selector!, policy.Selector)));
        if (older is not null)
        {
            var whom = policy.Selector is not null ? "these workloads" : policy.Namespace == config.Mesh.RootNamespace ? "the mesh" : $"the namespace {policy.Namespace}";
            diagnostics.Warn(
                policy.Source,
                DiagnosticCodes.DuplicateDeclaration,
                policy.Selector is null ? "spec" : "spec.selector.matchLabels",
                $"there is a PeerAuthentication for {whom} already, {older.Source}: the older one counts, nothing of this one applies; merge the two");
        }

        foreach (var (port, _) in policy.Spec.PortLevelMtls)
        {
            AnalyzePort(policy, port, $"spec.portLevelMtls.{port}", isOfServices: true, config, diagnostics);
        }
    }

    private static void AnalyzeAuthorization(PolicyRule<AuthorizationPolicy> policy, ConfigIndex config, ModelDiagnostics diagnostics)
    {
        var (spec, source) = (policy.Spec, policy.Source);
        if (DryRun.IsWrong(source))
        {
            diagnostics.Warn(source, DiagnosticCodes.NotApplied, "metadata.annotations", $"{DryRun.Annotation}: \"{source.Annotations[DryRun.Annotation]}\" is neither \"true\" nor \"false\": the policy is enforced");
        }

        if (spec.Action == AuthorizationPolicy.Types.Action.Custom && config.Mesh.Config.ExtensionProviders.All(provider => provider.Name != spec.Provider?.Name))
        {
            diagnostics.Warn(
                source,
                DiagnosticCodes.ReferencedResourceNotFound,
                "spec.provider.name",
                $"none of the extensionProviders of the MeshConfig is called \"{spec.Provider?.Name}\": whatever the rules match is denied until one is");
        }

        var hasTokens = new[] { policy.Namespace, config.Mesh.RootNamespace }.Any(name => config.Policies.RequestAuthentications.Of(name).Count > 0)
            || (policy.Namespace == config.Mesh.RootNamespace && config.Policies.RequestAuthentications.All.Any());
        for (var i = 0; i < spec.Rules.Count; i++)
        {
            var rule = spec.Rules[i];
            for (var j = 0; j < rule.From.Count && !hasTokens; j++)
            {
                if (rule.From[j].Source.RequestPrincipals.Count > 0)
                {
                    diagnostics.Warn(
                        source,
                        DiagnosticCodes.ReferencedResourceNotFound,
                        $"spec.rules[{i}].from[{j}].source.requestPrincipals",
                        "no RequestAuthentication is for these workloads, so no request has a principal and this matches nothing: declare whose tokens are taken");
                }
            }

            for (var j = 0; j < rule.To.Count; j++)
            {
                for (var k = 0; k < rule.To[j].Operation.Ports.Count; k++)
                {
                    AnalyzePort(policy, uint.Parse(rule.To[j].Operation.Ports[k], System.Globalization.CultureInfo.InvariantCulture), $"spec.rules[{i}].to[{j}].operation.ports[{k}]", isOfServices: false, config, diagnostics);
                }
            }
        }
    }

    // isOfServices: whether only ports that a Service declares count at all.
    private static void AnalyzePort<T>(PolicyRule<T> policy, uint port, string path, bool isOfServices, ConfigIndex config, ModelDiagnostics diagnostics)
        where T : IMessage
    {
        var ports = ServicesInScope(policy, config)
            .Where(service => policy.Selector is null || IsCompatible(service.Selector!, policy.Selector))
            .SelectMany(service => service.Ports)
            .ToArray();
        if (ports.Length == 0 || Array.Exists(ports, own => InboundPort.TargetOf(own) == port))
        {
            return;
        }

        var targets = string.Join(", ", ports.Select(InboundPort.TargetOf).Distinct());
        if (Array.Find(ports, own => own.Number == port) is { } service)
        {
            diagnostics.Warn(
                policy.Source,
                DiagnosticCodes.ReferencedResourceNotFound,
                path,
                $"{port} is the port of a Service; policies speak of the port of the workload, which is {InboundPort.TargetOf(service)} (targetPort): nothing is served at {port}");
        }
        else if (isOfServices)
        {
            diagnostics.Warn(policy.Source, DiagnosticCodes.ReferencedResourceNotFound, path, $"no Service is served at the port {port} of these workloads (there are {targets})");
        }
    }

    private static IEnumerable<MeshService> ServicesInScope<T>(PolicyRule<T> policy, ConfigIndex config)
        where T : IMessage
        => config.Services.Where(service => service.Selector is { Count: > 0 } && IsInScope(policy, service.Namespace, config));

    private static bool IsInScope<T>(PolicyRule<T> policy, string @namespace, ConfigIndex config)
        where T : IMessage
        => policy.Namespace == @namespace || policy.Namespace == config.Mesh.RootNamespace;

    /// <summary>Whether a workload can carry both sets of labels.</summary>
    private static bool IsCompatible(IReadOnlyDictionary<string, string> labels, IReadOnlyDictionary<string, string> others)
        => labels.All(label => !others.TryGetValue(label.Key, out var value) || value == label.Value);

    private static bool IsPartOf(IReadOnlyDictionary<string, string> labels, IReadOnlyDictionary<string, string> others)
        => labels.All(label => others.TryGetValue(label.Key, out var value) && value == label.Value);
}
