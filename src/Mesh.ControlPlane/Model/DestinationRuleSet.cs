using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Model;

/// <summary>All DestinationRules of one host in one namespace, merged: the first traffic policy and the first definition of each subset win.</summary>
internal sealed class DestinationRuleSet
{
    private readonly Dictionary<string, Subset> _subsets = new(StringComparer.Ordinal);

    public DestinationRuleSet(string host, IReadOnlyList<(ConfigResource Source, DestinationRule Spec)> rules)
    {
        Host = host;
        Rules = rules;
        Visibility = Visibility.Of(rules[0].Spec.ExportTo, rules[0].Source.Namespace);
        foreach (var (_, spec) in rules)
        {
            UsesConsistentHash |= spec.Subsets.Select(subset => subset.TrafficPolicy).Append(spec.TrafficPolicy).Any(Hashes);
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

    public Visibility Visibility { get; }

    public TrafficPolicy? TrafficPolicy { get; }

    public IReadOnlyCollection<string> SubsetNames => _subsets.Keys;

    /// <summary>Whether some cluster of the host may choose its endpoints by a hash of the request, which the routes to it must then make.</summary>
    public bool UsesConsistentHash { get; }

    public Subset? FindSubset(string name) => _subsets.GetValueOrDefault(name);

    /// <summary>The load balancer and connection settings of a cluster: the rule's, overridden by the subset's, overridden by the port's.</summary>
    /// <remarks>As in Istio, settings for a port inherit nothing: what they leave out has its default.</remarks>
    public (LoadBalancerSettings? LoadBalancer, ConnectionPoolSettings? ConnectionPool) PolicyFor(Subset? subset, uint port)
    {
        LoadBalancerSettings? loadBalancer = null;
        ConnectionPoolSettings? connectionPool = null;
        foreach (var policy in new[] { TrafficPolicy, subset?.TrafficPolicy })
        {
            if (policy is null)
            {
                continue;
            }

            loadBalancer = policy.LoadBalancer ?? loadBalancer;
            connectionPool = policy.ConnectionPool ?? connectionPool;
            foreach (var settings in policy.PortLevelSettings)
            {
                if (settings.Port?.Number == port)
                {
                    loadBalancer = settings.LoadBalancer;
                    connectionPool = settings.ConnectionPool;
                }
            }
        }

        return (loadBalancer, connectionPool);
    }

    private static bool Hashes(TrafficPolicy? policy)
        => policy is not null
            && (policy.LoadBalancer?.ConsistentHash is not null || policy.PortLevelSettings.Any(port => port.LoadBalancer?.ConsistentHash is not null));
}
