using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Resources;
using Filter = Envoy.Config.Listener.V3.Filter;

namespace Mesh.Client.Tests.Tcp;

/// <summary>What a control plane says of connections.</summary>
internal static class TcpRules
{
    public const string Host = "mysql";

    public static IMeshConnector Connector(this ClientMesh mesh) => (IMeshConnector)mesh.Services.GetService(typeof(IMeshConnector))!;

    public static TcpProxy To(string cluster) => new() { StatPrefix = cluster, Cluster = cluster };

    public static TcpProxy Split(params (string Cluster, uint Weight)[] clusters) => new()
    {
        StatPrefix = "split",
        WeightedClusters = new TcpProxy.Types.WeightedCluster
        {
            Clusters = { clusters.Select(c => new TcpProxy.Types.WeightedCluster.Types.ClusterWeight { Name = c.Cluster, Weight = c.Weight }) },
        },
    };

    public static FilterChain Chain(TcpProxy proxy, FilterChainMatch? match = null, string name = "") => new()
    {
        Name = name,
        FilterChainMatch = match,
        Filters = { new Filter { Name = "envoy.filters.network.tcp_proxy", TypedConfig = Any.Pack(proxy) } },
    };

    public static ClientMesh Listen(this ClientMesh mesh, params FilterChain[] chains) => mesh.Listen($"tcp://{Host}:3306", null, chains);

    public static ClientMesh Listen(this ClientMesh mesh, string name, Action<Listener>? configure, params FilterChain[] chains)
    {
        var listener = new Listener
        {
            Name = name,
            Address = new Address { SocketAddress = new SocketAddress { Address = "0.0.0.0", PortValue = 3306 } },
            FilterChains = { chains },
        };
        configure?.Invoke(listener);
        mesh.Xds.Set(ListenerType.Instance, listener);
        return mesh;
    }

    /// <summary>A service of one chain, one cluster and these endpoints.</summary>
    public static ClientMesh ServeTcp(this ClientMesh mesh, string cluster, params int[] ports)
        => mesh.SetCluster(cluster).SetEndpoints(cluster, ports).Listen(Chain(To(cluster)));

    public static Cluster Cluster(this ClientMesh mesh, string name) => mesh.Engine.Clusters.All.Single(c => c.Cluster.Name == name).Cluster;

    /// <summary>Connections that hold a permit, over all clusters.</summary>
    public static long Connections(this ClientMesh mesh)
        => mesh.Engine.Clusters.All.Sum(c => (long)c.Cluster.Breakers[DataPlane.Routing.RoutingPriority.Default].ActiveConnections);

    public static bool HoldsNothing(this ClientMesh mesh)
        => mesh.Connections() == 0 && mesh.ActiveRequests == 0 && mesh.Engine.Clusters.All.Sum(c => c.Cluster.Stats.ActiveConnections.Value) == 0;

    /// <summary>Nothing of any connection is left.</summary>
    public static void ShouldHoldNothing(this ClientMesh mesh)
    {
        mesh.Connections().ShouldBe(0);
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Engine.Clusters.All.Sum(c => c.Cluster.Stats.ActiveConnections.Value).ShouldBe(0);
    }
}
