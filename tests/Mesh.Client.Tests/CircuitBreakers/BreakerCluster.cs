using Envoy.Config.Cluster.V3;
using EnvoyBreakers = Envoy.Config.Cluster.V3.CircuitBreakers;
using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Routing;

namespace Mesh.Client.Tests.CircuitBreakers;

/// <summary>Clusters with limits, and what the limits have counted.</summary>
internal static class BreakerCluster
{
    public static Cluster WithThresholds(this Cluster cluster, EnvoyBreakers.Types.Thresholds thresholds)
    {
        cluster.CircuitBreakers = new() { Thresholds = { thresholds } };
        return cluster;
    }

    /// <summary>What Istio sends where no limit is set.</summary>
    public static Cluster WithoutLimits(this Cluster cluster)
        => cluster.WithThresholds(new()
        {
            MaxConnections = uint.MaxValue,
            MaxPendingRequests = uint.MaxValue,
            MaxRequests = uint.MaxValue,
            MaxRetries = uint.MaxValue,
            TrackRemaining = true,
        });

    public static ClientMesh Use(this ClientMesh mesh, Cluster cluster)
    {
        mesh.Xds.Set(ClusterType.Instance, cluster);
        return mesh;
    }

    public static CircuitBreaker Breaker(this ClientMesh mesh, RoutingPriority priority = RoutingPriority.Default)
        => mesh.Engine.Clusters.All.Single().Cluster.Breakers[priority];

    public static void ShouldHoldNothing(this CircuitBreaker breaker)
        => (breaker.ActiveRequests, breaker.ActiveConnections, breaker.PendingRequests, breaker.ActiveRetries).ShouldBe((0u, 0u, 0, 0));
}
