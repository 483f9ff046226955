using Envoy.Config.Cluster.V3;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators;

/// <summary>Where connections go that no service's chain takes: the destination that they had.</summary>
internal static class PassthroughCluster
{
    public const string Name = "PassthroughCluster";

    public static Cluster Generate(MeshSettings mesh)
    {
        var cluster = new Cluster
        {
            Name = Name,
            Type = Cluster.Types.DiscoveryType.OriginalDst,
            LbPolicy = Cluster.Types.LbPolicy.ClusterProvided,
        };
        ConnectionPoolTranslator.Apply(cluster, mesh.Complete(default).ConnectionPool, null);
        return cluster;
    }
}
