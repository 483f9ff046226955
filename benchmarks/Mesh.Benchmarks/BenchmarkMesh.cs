using Envoy.Config.Route.V3;
using Mesh.Client;
using Mesh.DataPlane;
using Mesh.DataPlane.Identity;
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
        => Create(
            routes,
            Resources.Cluster("cluster", Envoy.Config.Cluster.V3.Cluster.Types.LbPolicy.LeastRequest),
            _ => { },
            ports.Length == 0 ? [1, 2, 3] : ports,
            transports);

    public static MeshEngine Create(
        IEnumerable<Route> routes, Envoy.Config.Cluster.V3.Cluster cluster, Action<VirtualHost> host, int[] ports, IEndpointTransportFactory? transports = null, ISecretSource? identity = null)
    {
        var xds = new ScriptedXdsClient();
        var configuration = Resources.Routes("routes", [.. routes]);
        host(configuration.VirtualHosts[0]);
        xds.Set(ListenerType.Instance, Resources.Listener($"{Host}:{Port}", "routes"));
        xds.Set(RouteConfigurationType.Instance, configuration);
        xds.Set(ClusterType.Instance, cluster);
        xds.Set(EndpointsType.Instance, Resources.Endpoints("cluster", ports));
        var engine = new MeshEngine(xds, new MeshOptions(), transports ?? new SocketTransportFactory(TimeProvider.System), SystemRandomSource.Instance, TimeProvider.System) { Identity = identity };
        engine.Hosts.PreloadAsync([new(Host, Port)], CancellationToken.None).GetAwaiter().GetResult();
        return engine;
    }

    public static SocketCaller CallerOverTls(MeshEngine engine) => new(Client(engine), $"https://{Host}:{Port}{SocketCaller.Path}");

    public static SocketCaller Caller(MeshEngine engine) => new(Client(engine), $"http://{Host}:{Port}{SocketCaller.Path}");

    public static HttpClient Client(MeshEngine engine)
    {
        var primary = new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false };
        return new HttpClient(new MeshHandler(engine, PrimaryFeatures.TakeOver(primary)) { InnerHandler = primary })
        {
            BaseAddress = new Uri($"http://{Host}:{Port}"),
        };
    }
}
