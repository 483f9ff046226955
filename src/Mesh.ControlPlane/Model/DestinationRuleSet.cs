using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Model;

/// <summary>DestinationRules of one host, merged: the first traffic policy and the first definition of each subset win.</summary>
internal sealed class DestinationRuleSet
{
    private readonly Dictionary<string, Subset> _subsets = new(StringComparer.Ordinal);

    public DestinationRuleSet(string host, IReadOnlyList<(ConfigResource Source, DestinationRule Spec)> rules, string variant = "")
    {
        Host = host;
        Rules = rules;
        Variant = variant;
        foreach (var (_, spec) in rules)
        {
            TrafficPolicy ??= spec.TrafficPolicy;
            foreach (var subset in spec.Subsets)
            {
                _subsets.TryAdd(subset.Name, subset);
            }
        }
    }

    public string Host { get; }

    public IReadOnlyList<(ConfigResource Source, DestinationRule Spec)> Rules { get; }

    public ConfigResource Source => Rules[0].Source;

    /// <summary>Tells apart what clients of one namespace get by their labels; empty where labels make no difference.</summary>
    public string Variant { get; }

    public TrafficPolicy? TrafficPolicy { get; }

    public IReadOnlyCollection<string> SubsetNames => _subsets.Keys;

    public Subset? FindSubset(string name) => _subsets.GetValueOrDefault(name);

    /// <summary>The settings of a cluster: the rule's, overridden by the subset's, either replaced by its own for the port.</summary>
    public TrafficPolicyParts PolicyFor(Subset? subset, uint port)
    {
        var parts = TrafficPolicy is null ? default : TrafficPolicyParts.Of(TrafficPolicy, port);
        return subset?.TrafficPolicy is { } own ? parts.OverriddenBy(own, port) : parts;
    }
}
