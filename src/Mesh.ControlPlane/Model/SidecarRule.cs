using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Model;

/// <summary>A Sidecar, ready to be asked. One instance lives as long as its document is unchanged.</summary>
internal sealed class SidecarRule(ConfigResource source, Sidecar spec)
{
    public ConfigResource Source { get; } = source;

    public Sidecar Spec { get; } = spec;

    /// <summary>The labels that a workload of its namespace must carry; <see langword="null"/>: it is the namespace's default.</summary>
    public IReadOnlyDictionary<string, string>? Selector { get; }
        = spec.WorkloadSelector is { Labels.Count: > 0 } selector ? new Dictionary<string, string>(selector.Labels, StringComparer.Ordinal) : null;

    /// <summary>What its workloads call; empty: it says nothing of that.</summary>
    public IReadOnlyList<EgressListener> Egress { get; } = [.. spec.Egress.Select(listener => new EgressListener(listener))];

    public bool Selects(IReadOnlyDictionary<string, string> labels)
        => Selector is not null && Selector.All(label => labels.TryGetValue(label.Key, out var value) && value == label.Value);
}
