using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Model;

/// <summary>What a DestinationRule says of one cluster, when rule, subset and port have been laid over each other.</summary>
internal readonly record struct TrafficPolicyParts(
    LoadBalancerSettings? LoadBalancer,
    ConnectionPoolSettings? ConnectionPool,
    OutlierDetection? OutlierDetection,
    TrafficPolicy.Types.RetryBudget? RetryBudget,
    ClientTLSSettings? Tls)
{
    /// <summary>The mesh's own preference of places, for destinations that say nothing of theirs.</summary>
    public LocalityLoadBalancerSetting? MeshLocality { get; init; }

    /// <inheritdoc cref="MeshLocality"/>
    public ZoneAwareLoadBalancerSetting? MeshZoneAware { get; init; }

    /// <summary>The parts of a policy on a port.</summary>
    /// <remarks>As in Istio, settings for a port inherit nothing from their policy: what they leave out has its default.</remarks>
    public static TrafficPolicyParts Of(TrafficPolicy policy, uint port)
        => PortOf(policy, port) is { } settings
            ? new TrafficPolicyParts(settings.LoadBalancer, settings.ConnectionPool, settings.OutlierDetection, null, settings.Tls)
            : new TrafficPolicyParts(policy.LoadBalancer, policy.ConnectionPool, policy.OutlierDetection, policy.RetryBudget, policy.Tls);

    /// <summary>These parts overridden by a subset's, part by part; a subset's settings for the port override whole.</summary>
    public TrafficPolicyParts OverriddenBy(TrafficPolicy subset, uint port)
    {
        var own = Of(subset, port);
        return PortOf(subset, port) is not null
            ? own with { RetryBudget = RetryBudget }
            : new TrafficPolicyParts(
                own.LoadBalancer ?? LoadBalancer,
                own.ConnectionPool ?? ConnectionPool,
                own.OutlierDetection ?? OutlierDetection,
                own.RetryBudget ?? RetryBudget,
                own.Tls ?? Tls);
    }

    private static TrafficPolicy.Types.PortTrafficPolicy? PortOf(TrafficPolicy policy, uint port)
    {
        foreach (var settings in policy.PortLevelSettings)
        {
            if (settings.Port?.Number == port)
            {
                return settings;
            }
        }

        return null;
    }
}
