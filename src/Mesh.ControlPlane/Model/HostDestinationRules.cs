using System.Collections.Concurrent;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Model;

/// <summary>
/// The DestinationRules that one namespace has for one host, the oldest first. Which of them a client is under depends on its
/// namespace (<c>exportTo</c>) and, in the rules' own namespace, on its labels (<c>workloadSelector</c>).
/// </summary>
internal sealed class HostDestinationRules(string @namespace, string host, IReadOnlyList<(ConfigResource Source, DestinationRule Spec)> rules, IReadOnlyCollection<string> exportTo)
{
    private readonly Visibility[] _visibility = [.. rules.Select(rule => Visibility.Of(rule.Spec.ExportTo, rule.Source.Namespace, exportTo))];
    private readonly ConcurrentDictionary<string, DestinationRuleSet> _sets = new(StringComparer.Ordinal);
    private readonly bool _hasSelectors = rules.Any(rule => rule.Spec.WorkloadSelector is not null);

    public string Host => host;

    public IReadOnlyList<(ConfigResource Source, DestinationRule Spec)> Rules => rules;

    /// <summary>Every subset that any of the rules defines.</summary>
    public IEnumerable<string> SubsetNames => rules.SelectMany(rule => rule.Spec.Subsets).Select(subset => subset.Name);

    /// <summary>Whether some cluster of the host may choose its endpoints by a hash of the request, which the routes to it must then make.</summary>
    public bool UsesConsistentHash { get; }
        = rules.SelectMany(rule => rule.Spec.Subsets.Select(subset => subset.TrafficPolicy).Append(rule.Spec.TrafficPolicy)).Any(Hashes);

    /// <summary>
    /// What a client is under: the rules whose selector it matches, which stand for themselves, else the rules for everyone.
    /// Rules that stand side by side are merged.
    /// </summary>
    /// <param name="proxyNamespace">The client's namespace.</param>
    /// <param name="proxyLabels">Its labels; <see langword="null"/>: unknown, so that no selector matches.</param>
    /// <param name="privateOnly">Passes over what other namespaces see as well.</param>
    public DestinationRuleSet? For(string proxyNamespace, IReadOnlyDictionary<string, string>? proxyLabels, bool privateOnly = false)
    {
        if (_hasSelectors && proxyLabels is not null && proxyNamespace == @namespace)
        {
            // The oldest rule whose selector matches decides; rules with the very same selector belong to it.
            var selector = rules.Select(rule => rule.Spec.WorkloadSelector).FirstOrDefault(selector => selector is not null && Matches(selector.MatchLabels, proxyLabels));
            if (selector is not null)
            {
                return Merge((rule, _) => selector.Equals(rule.WorkloadSelector), byLabels: true);
            }
        }

        return Merge(
            (rule, visibility) => rule.WorkloadSelector is null && (privateOnly ? visibility.IsOnly(proxyNamespace) : visibility.Includes(proxyNamespace)),
            byLabels: false);
    }

    /// <summary>The rules that a rule is merged with, itself among them, the oldest first: those of the same selector that some client is under together with it.</summary>
    public IReadOnlyList<(ConfigResource Source, DestinationRule Spec)> MergedWith(ConfigResource rule)
    {
        var own = Enumerable.Range(0, rules.Count).FirstOrDefault(i => rules[i].Source.Key == rule.Key, -1);
        return own < 0
            ? []
            : [.. rules.Where((other, i) => Equals(other.Spec.WorkloadSelector, rules[own].Spec.WorkloadSelector)
                && (other.Spec.WorkloadSelector is not null || i == own || _visibility[i].Overlaps(_visibility[own])))];
    }

    private static bool Hashes(TrafficPolicy? policy)
        => policy is not null
            && (policy.LoadBalancer?.ConsistentHash is not null || policy.PortLevelSettings.Any(port => port.LoadBalancer?.ConsistentHash is not null));

    private static bool Matches(IEnumerable<KeyValuePair<string, string>> selector, IReadOnlyDictionary<string, string> labels)
        => selector.All(label => labels.TryGetValue(label.Key, out var value) && value == label.Value);

    private DestinationRuleSet? Merge(Func<DestinationRule, Visibility, bool> applies, bool byLabels)
    {
        var members = Enumerable.Range(0, rules.Count).Where(i => applies(rules[i].Spec, _visibility[i])).ToArray();
        if (members.Length == 0)
        {
            return null;
        }

        // One instance per combination: whoever is under the same rules shares what is made from them.
        var key = string.Join(',', members);
        return _sets.GetOrAdd(key, _ => new DestinationRuleSet(host, [.. members.Select(i => rules[i])], byLabels ? $"{host}/{key}" : ""));
    }
}
