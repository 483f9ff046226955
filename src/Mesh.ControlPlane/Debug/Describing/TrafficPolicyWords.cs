using System.Globalization;
using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Debug.Describing;

/// <summary>What a DestinationRule does with the hosts of a service, in a line.</summary>
internal static class TrafficPolicyWords
{
    public static string Of(TrafficPolicy? policy)
    {
        if (policy is null)
        {
            return "no traffic policy";
        }

        var parts = new List<string>();
        if (policy.LoadBalancer is { } balancer)
        {
            parts.Add("load balancer " + (balancer.ConsistentHash is not null ? "consistent hash" : balancer.Simple.ToString()));
        }

        if (policy.ConnectionPool is not null)
        {
            parts.Add("connection pool");
        }

        if (policy.OutlierDetection is not null)
        {
            parts.Add("outlier detection");
        }

        if (policy.Tls is { } tls)
        {
            parts.Add($"TLS {tls.Mode}");
        }

        if (policy.PortLevelSettings.Count > 0)
        {
            parts.Add("settings of ports " + string.Join(", ", policy.PortLevelSettings.Select(port => port.Port?.Number.ToString(CultureInfo.InvariantCulture))));
        }

        return parts.Count == 0 ? "no traffic policy" : string.Join(", ", parts);
    }
}
