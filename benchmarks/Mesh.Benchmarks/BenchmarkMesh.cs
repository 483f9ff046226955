using Envoy.Config.Route.V3;
using Mesh.DataPlane;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests;
using Mesh.DataPlane.Transports;

namespace Mesh.Benchmarks;

/// <summary>An engine that has been told of one host with the given routes, and of one cluster.</summary>
internal static class BenchmarkMesh
{
    public const string Host = "reviews";
    public const int Port = 9080;

    public static MeshEngine Create(IEnumerable<Route> routes, IEndpointTransportFactory? transports = null, params int[] ports)
    {
        var xds = new ScriptedXdsClient();
        xds.Set(ListenerType.Instance, Resources.Listener($"{Host}:{Port}", "routes"));
        xds.Set(RouteConfigurationType.Instance, Resources.Routes("routes", [.. routes]));
        xds.Set(ClusterType.Instance, Resources.Cluster("cluster", Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy.LeastRequest));
        xds.Set(EndpointsType.Instance, Resources.Endpoints("cluster", ports.Length == 0 ? [1, 2, 3] : ports));
        var engine = new MeshEngine(xds, new MeshOptions(), transports ?? new SocketTransportFactory(TimeProvider.System), SystemRandomSource.Instance, TimeProvider.System);
        engine.Hosts.PreloadAsync([new(Host, Port)], CancellationToken.None).GetAwaiter().GetResult();
        return engine;
    }
}
