using System.Net;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadReporting;
using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.Tests.LoadReporting;

/// <summary>Clusters with loads, without a control plane.</summary>
internal static class Loads
{
    /// <summary>An endpoint of a cluster.</summary>
    public static EndpointLoad Endpoint(this ClusterLoad cluster, int port, string locality = "eu/a", uint priority = 0)
    {
        var endpoint = new EndpointResource(new IPEndPoint(IPAddress.Loopback, port), "", 1, EndpointHealth.Healthy, new Dictionary<string, string>());
        return cluster.Of(new LocalityResource(locality, priority, 1, [endpoint]), endpoint);
    }

    /// <summary>The cluster has these endpoints, and no others any more.</summary>
    public static void Keep(this ClusterLoad cluster, bool isReported, params EndpointLoad[] endpoints)
        => cluster.Keep(
            new EndpointSet(
                [.. endpoints.Select(e => new Endpoint(
                    new EndpointResource(e.Address!, "", 1, EndpointHealth.Healthy, new Dictionary<string, string>()), e.Locality, e.Priority, new EndpointState(() => throw new InvalidOperationException())) { Load = e })],
                [],
                []),
            isReported);

    public static EndpointLoad Times(this EndpointLoad load, int times, params LoadCount[] counts)
    {
        for (var i = 0; i < times; i++)
        {
            foreach (var count in counts)
            {
                load.Count(count);
            }
        }

        return load;
    }
}
