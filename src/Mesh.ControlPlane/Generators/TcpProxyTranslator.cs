using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Envoy.Type.V3;
using Google.Protobuf.WellKnownTypes;
using Istio.Networking.V1Alpha3;
using Istio.Telemetry.V1Alpha1;
using Mesh.ControlPlane.Generators.Signals;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators;

/// <summary>The filter that carries a connection to its destination, as Istio fills it in, and before it those that tell of the connection.</summary>
internal sealed class TcpProxyTranslator(Proxy proxy, ConfigIndex config, uint calledPort)
{
    private const string FilterName = "envoy.filters.network.tcp_proxy";

    private readonly ListenerSignals _signals = config.SignalsOf(proxy, WorkloadMode.Client);

    /// <summary>To the service itself.</summary>
    public IReadOnlyList<Filter> ToService(SubsetKey key) => ToCluster(key);

    /// <summary>To a cluster that is no service's, without more.</summary>
    public static IReadOnlyList<Filter> To(string cluster, ListenerSignals signals) => Pack(new TcpProxy { StatPrefix = cluster, Cluster = cluster }, signals);

    /// <returns>The filters, or <see langword="null"/> when no destination has any weight.</returns>
    public IReadOnlyList<Filter>? ToDestinations(VirtualServiceRule rule, IReadOnlyList<RouteDestination> routes)
    {
        if (routes.Count == 1)
        {
            return ToCluster(KeyOf(rule, routes[0]));
        }

        var weighted = new TcpProxy.Types.WeightedCluster();
        foreach (var route in routes.Where(route => route.Weight > 0))
        {
            weighted.Clusters.Add(new TcpProxy.Types.WeightedCluster.Types.ClusterWeight { Name = KeyOf(rule, route).ToString(), Weight = (uint)route.Weight });
        }

        if (weighted.Clusters.Count == 0)
        {
            return null;
        }

        // A connection has one policy whatever cluster it will lead to: as in Istio, that of the first destination's host.
        var first = KeyOf(rule, routes[0]);
        var filter = new TcpProxy { StatPrefix = $"{rule.Source.Name}.{rule.Source.Namespace}", WeightedClusters = weighted };
        Apply(filter, first with { Subset = "" });
        return Pack(filter, _signals);
    }

    private IReadOnlyList<Filter> ToCluster(SubsetKey key)
    {
        var filter = new TcpProxy { StatPrefix = key.ToString(), Cluster = key.ToString() };
        Apply(filter, key);
        return Pack(filter, _signals);
    }

    /// <remarks>Istio reads the timeouts of the rule's own policy alone; what a subset or a port says in its place is meant as well.</remarks>
    private void Apply(TcpProxy filter, SubsetKey key)
    {
        if (config.ScopeOf(proxy).FindDestination(key.Host) is not { } service)
        {
            return;
        }

        var rule = config.FindDestinationRule(proxy.Namespace, service, proxy.Labels);
        var policy = config.Mesh.Complete(rule?.PolicyFor(rule.FindSubset(key.Subset), key.Port) ?? default);
        filter.IdleTimeout = policy.ConnectionPool?.Tcp?.IdleTimeout;
        filter.MaxDownstreamConnectionDuration = policy.ConnectionPool?.Tcp?.MaxConnectionDuration;
        if (policy.LoadBalancer?.ConsistentHash is { HasUseSourceIp: true, UseSourceIp: true })
        {
            filter.HashPolicy.Add(new HashPolicy { SourceIp = new HashPolicy.Types.SourceIp() });
        }
    }

    private SubsetKey KeyOf(VirtualServiceRule rule, RouteDestination route)
        => DestinationKey.Of(proxy, config, rule.Source.Namespace, calledPort, route.Destination);

    private static IReadOnlyList<Filter> Pack(TcpProxy filter, ListenerSignals signals)
    {
        filter.AccessLog.AddRange(signals.ConnectionLogs);
        return [.. signals.NetworkFilters, new Filter { Name = FilterName, TypedConfig = Any.Pack(filter) }];
    }
}
