using Google.Protobuf;
using Istio.Type.V1Beta1;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Validation;

namespace Mesh.ControlPlane.Model.Policies;

/// <summary>A policy of one of Istio's security kinds, ready to be asked whom it is for. One instance lives as long as its document is unchanged.</summary>
internal sealed class PolicyRule<T>(ConfigResource source, T spec, WorkloadSelector? selector, IReadOnlyList<PolicyTargetReference> targets)
    where T : IMessage
{
    public ConfigResource Source { get; } = source;

    public T Spec { get; } = spec;

    public string Namespace => Source.Namespace;

    /// <summary>The labels that a workload must carry; <see langword="null"/>: every workload of the namespace is meant.</summary>
    public IReadOnlyDictionary<string, string>? Selector { get; }
        = selector is { MatchLabels.Count: > 0 } ? new Dictionary<string, string>(selector.MatchLabels, StringComparer.Ordinal) : null;

    /// <summary>What it is for instead of workloads.</summary>
    public IReadOnlyList<PolicyTargetReference> Targets { get; } = targets;

    /// <summary>Whether it is for a workload, in a namespace whose policies it is under.</summary>
    /// <remarks>As in Istio a policy with targets is for gateways only, and of other namespaces' workloads never.</remarks>
    public bool IsFor(string @namespace, IReadOnlyDictionary<string, string> labels)
        => Targets.Count == 0
            ? Selects(labels)
            : Namespace == @namespace
                && labels.TryGetValue(PolicySelectorValidator.GatewayLabel, out var gateway)
                && Targets.Any(target => target is { Kind: "Gateway", Group: PolicySelectorValidator.GatewayGroup } && target.Name == gateway && target.Namespace.Length == 0);

    public bool Selects(IReadOnlyDictionary<string, string> labels)
    {
        if (Selector is null)
        {
            return true;
        }

        foreach (var (key, value) in Selector)
        {
            if (!labels.TryGetValue(key, out var own) || own != value)
            {
                return false;
            }
        }

        return true;
    }
}
