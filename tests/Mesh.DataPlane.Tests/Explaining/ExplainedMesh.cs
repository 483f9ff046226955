using Envoy.Config.Cluster.V3;
using Envoy.Config.Route.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Transports;
using Mesh.Testing;

namespace Mesh.DataPlane.Tests.Explaining;

/// <summary>An engine that calls <c>reviews:9080</c>, with virtual time and nothing that would answer.</summary>
internal sealed class ExplainedMesh : IAsyncDisposable
{
    public const string V1 = "outbound|9080|v1|reviews";
    public const string V3 = "outbound|9080|v3|reviews";

    public ExplainedMesh()
        => Engine = new MeshEngine(Client, new MeshOptions(), new SocketTransportFactory(Time), new EvenRandomSource(), Time);

    public ManualTimeProvider Time { get; } = new();

    public ScriptedXdsClient Client { get; } = new();

    public MeshEngine Engine { get; }

    public static Route JasonToV3 { get; } = new()
    {
        Name = "jason",
        Match = new RouteMatch { Prefix = "/", Headers = { new HeaderMatcher { Name = "end-user", StringMatch = new() { Exact = "jason" } } } },
        Route_ = new RouteAction { Cluster = V3, Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(3)), RetryPolicy = new RetryPolicy { RetryOn = "5xx", NumRetries = 2 } },
    };

    /// <summary>jason sees v3, a tenth of the others too, and v3 has outlier detection.</summary>
    public async Task<HostEntry> StartAsync(Action<RouteConfiguration>? routes = null, Action<Cluster>? cluster = null)
    {
        Client.Set(ListenerType.Instance, Resources.Listener("reviews:9080", "9080"));
        var configuration = Resources.Routes("9080", JasonToV3, Resources.Split((V1, 90), (V3, 10)));
        configuration.VirtualHosts[0].Name = "reviews.default.svc.cluster.local:9080";
        routes?.Invoke(configuration);
        Client.Set(RouteConfigurationType.Instance, configuration);
        Client.Set(ClusterType.Instance, Resources.Cluster(V1));
        Client.Set(EndpointsType.Instance, Resources.Endpoints(V1, 1001, 1002));
        var v3 = Resources.Cluster(V3);
        v3.OutlierDetection = new() { Consecutive5Xx = 1, MaxEjectionPercent = 100, EnforcingConsecutive5Xx = 100 };
        cluster?.Invoke(v3);
        Client.Set(ClusterType.Instance, v3);
        Client.Set(EndpointsType.Instance, Resources.Endpoints(V3, 3001, 3002));
        return (await Engine.Hosts.ResolveAsync("reviews", 9080, CancellationToken.None))!;
    }

    public ValueTask DisposeAsync() => Engine.DisposeAsync();
}
