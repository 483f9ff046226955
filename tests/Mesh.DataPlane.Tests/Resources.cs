using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;

namespace Mesh.DataPlane.Tests;

/// <summary>The smallest valid resources.</summary>
internal static class Resources
{
    public static Listener Listener(string name, string routes) => new()
    {
        Name = name,
        ApiListener = new ApiListener
        {
            ApiListener_ = Any.Pack(new HttpConnectionManager
            {
                StatPrefix = "test",
                Rds = new Rds { RouteConfigName = routes, ConfigSource = new ConfigSource { Ads = new AggregatedConfigSource() } },
                HttpFilters = { new HttpFilter { Name = "envoy.filters.http.router", TypedConfig = Any.Pack(new Router()) } },
            }),
        },
    };

    /// <summary>As Istio sends it where nothing is asked; without it Envoy's 15 seconds apply.</summary>
    private static Duration NoTimeout => new();

    public static RouteConfiguration Routes(string name, params Route[] routes) => new()
    {
        Name = name,
        VirtualHosts = { new VirtualHost { Name = "all", Domains = { "*" }, Routes = { routes } } },
    };

    public static Route Prefix(string prefix, string cluster, string name = "")
        => new() { Name = name, Match = new RouteMatch { Prefix = prefix }, Route_ = new RouteAction { Cluster = cluster, Timeout = NoTimeout } };

    public static Route Split(params (string Cluster, uint Weight)[] clusters) => new()
    {
        Match = new RouteMatch { Prefix = "/" },
        Route_ = new RouteAction
        {
            Timeout = NoTimeout,
            WeightedClusters = new WeightedCluster
            {
                Clusters = { clusters.Select(c => new WeightedCluster.Types.ClusterWeight { Name = c.Cluster, Weight = c.Weight }) },
            },
        },
    };

    public static Cluster Cluster(string name, Cluster.Types.LbPolicy policy = Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy.RoundRobin) => new()
    {
        Name = name,
        Type = Envoy.Config.Cluster.V3.Cluster.Types.DiscoveryType.Eds,
        EdsClusterConfig = new Cluster.Types.EdsClusterConfig { EdsConfig = new ConfigSource { Ads = new AggregatedConfigSource() } },
        LbPolicy = policy,
    };

    public static ClusterLoadAssignment Endpoints(string name, params int[] ports) => new()
    {
        ClusterName = name,
        Endpoints = { new LocalityLbEndpoints { LbEndpoints = { ports.Select(p => Endpoint("127.0.0.1", p)) } } },
    };

    public static LbEndpoint Endpoint(string address, int port, uint weight = 1, HealthStatus health = HealthStatus.Unknown) => new()
    {
        Endpoint = new Endpoint { Address = new Address { SocketAddress = new SocketAddress { Address = address, PortValue = (uint)port } } },
        LoadBalancingWeight = weight,
        HealthStatus = health,
    };

    /// <summary>TLS to whoever an authority has signed for.</summary>
    public static Envoy.Config.Core.V3.TransportSocket Tls() => new()
    {
        Name = "envoy.transport_sockets.tls",
        TypedConfig = Google.Protobuf.WellKnownTypes.Any.Pack(new Envoy.Extensions.TransportSockets.Tls.V3.UpstreamTlsContext
        {
            CommonTlsContext = new() { ValidationContext = new() { TrustedCa = new() { InlineString = "x" } } },
        }),
    };
}
