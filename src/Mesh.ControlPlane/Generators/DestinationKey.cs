using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators;

/// <summary>The cluster that a destination of a VirtualService means.</summary>
internal static class DestinationKey
{
    /// <param name="proxy">The client.</param>
    /// <param name="config">The documents.</param>
    /// <param name="ruleNamespace">The namespace to which a short name belongs.</param>
    /// <param name="calledPort">The port that the client called: it stands in where neither the destination nor its service has just one.</param>
    /// <param name="destination">The destination.</param>
    public static SubsetKey Of(Proxy proxy, ConfigIndex config, string ruleNamespace, uint calledPort, Destination destination)
    {
        var host = Hostname.Resolve(destination.Host, ruleNamespace, config.ClusterDomain);
        var scope = config.ScopeOf(proxy);
        var service = scope.FindDestination(host) is { } named ? scope.Meant(named) : null;
        var port = destination.Port?.Number ?? 0;
        if (port == 0)
        {
            port = service is { Ports: [var only] } ? only.Number : calledPort;
        }

        return new SubsetKey(port, destination.Subset, service?.Host ?? host);
    }
}
