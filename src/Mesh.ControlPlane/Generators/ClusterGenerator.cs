using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Extensions.Upstreams.Http.V3;
using Google.Protobuf.WellKnownTypes;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Model;
using SimpleLb = Istio.Networking.V1Alpha3.LoadBalancerSettings.Types.SimpleLB;

namespace Mesh.ControlPlane.Generators;

/// <summary>Clusters: a service's port, or one of its subsets there; endpoints come by EDS on the same stream.</summary>
internal static class ClusterGenerator
{
    private const string HttpProtocolOptionsKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

    /// <summary>Istio's default, where neither rule nor mesh says otherwise.</summary>
    private static readonly Duration ConnectTimeout = new() { Seconds = 10 };

    /// <returns>The cluster, or <see langword="null"/> when the client knows no such service, port or subset.</returns>
    public static Cluster? Generate(Proxy proxy, ConfigIndex config, SubsetKey key)
    {
        if (config.FindService(proxy.Namespace, key.Host) is not { } service || service.FindPort(key.Port) is not { } port)
        {
            return null;
        }

        var rule = config.FindDestinationRule(proxy.Namespace, service);
        var subset = key.Subset.Length > 0 ? rule?.FindSubset(key.Subset) : null;
        if (key.Subset.Length > 0 && subset is null)
        {
            return null;
        }

        var name = key.ToString();
        var cluster = new Cluster
        {
            Name = name,
            Type = Cluster.Types.DiscoveryType.Eds,
            EdsClusterConfig = new Cluster.Types.EdsClusterConfig { EdsConfig = ConfigSources.Ads, ServiceName = name },
        };
        if (proxy.Kind == ProxyKind.Mesh)
        {
            AddEnvoySettings(cluster, service, port, subset, rule);
        }

        return cluster;
    }

    private static void AddEnvoySettings(Cluster cluster, MeshService service, MeshServicePort port, Subset? subset, DestinationRuleSet? rule)
    {
        var (loadBalancer, connectionPool) = rule?.PolicyFor(subset, port.Number) ?? default;
        cluster.LbPolicy = PolicyOf(loadBalancer);
        cluster.ConnectTimeout = connectionPool?.Tcp?.ConnectTimeout ?? ConnectTimeout;
        cluster.CommonLbConfig = new Cluster.Types.CommonLbConfig { LocalityWeightedLbConfig = new() };
        cluster.Metadata = IstioMetadata.OfCluster(service, port, subset?.Name ?? "", rule);
        var upgrade = connectionPool?.Http?.H2UpgradePolicy == ConnectionPoolSettings.Types.HTTPSettings.Types.H2UpgradePolicy.Upgrade;
        if (port.Protocol.IsHttp2() || (upgrade && port.Protocol.IsHttp()))
        {
            cluster.TypedExtensionProtocolOptions[HttpProtocolOptionsKey] = Any.Pack(new Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions
            {
                ExplicitHttpConfig = new() { Http2ProtocolOptions = new Http2ProtocolOptions() },
            });
        }
    }

    private static Cluster.Types.LbPolicy PolicyOf(LoadBalancerSettings? settings) => settings?.Simple switch
    {
        SimpleLb.RoundRobin => Cluster.Types.LbPolicy.RoundRobin,
        SimpleLb.Random => Cluster.Types.LbPolicy.Random,
        _ => Cluster.Types.LbPolicy.LeastRequest,
    };
}
