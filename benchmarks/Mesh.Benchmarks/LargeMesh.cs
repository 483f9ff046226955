using Mesh.DataPlane;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests;
using Mesh.DataPlane.Transports;

namespace Mesh.Benchmarks;

/// <summary>An engine that holds ten thousand hosts, each with its routes, its cluster and ten endpoints.</summary>
internal static class LargeMesh
{
    public const int Clusters = 10_000;
    public const int EndpointsEach = 10;

    public static int[] Ports(int changing) => [.. Enumerable.Range(1, EndpointsEach - 1), changing];

    public static MeshEngine Create(ScriptedXdsClient xds, int endpointsEach = EndpointsEach)
    {
        var options = new MeshOptions { Client = { MaxOnDemandHosts = Clusters } };
        var engine = new MeshEngine(xds, options, new SocketTransportFactory(TimeProvider.System), SystemRandomSource.Instance, TimeProvider.System);
        for (var i = 0; i < Clusters; i++)
        {
            xds.Set(ListenerType.Instance, Resources.Listener($"s{i}:80", $"r{i}"));
            xds.Set(RouteConfigurationType.Instance, Resources.Routes($"r{i}", Resources.Prefix("/", $"c{i}")));
            xds.Set(ClusterType.Instance, Resources.Cluster($"c{i}"));
            xds.Set(EndpointsType.Instance, Resources.Endpoints($"c{i}", [.. Enumerable.Range(1, endpointsEach)]));
        }

        engine.Hosts.PreloadAsync(Enumerable.Range(0, Clusters).Select(i => new HostKey($"s{i}", 80)), CancellationToken.None).GetAwaiter().GetResult();
        return engine;
    }
}
