using Envoy.Extensions.Upstreams.Http.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Tests;
using Mesh.DataPlane.Tests.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Client.Tests;

/// <summary>An application on the mesh: its container, its clients, the engine below them, and the control plane in the test's hand.</summary>
internal sealed class ClientMesh : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public ClientMesh(ServiceProvider services, ScriptedXdsClient xds, RecordedLogs logs, RecordLedger records)
    {
        (_services, Xds, Logs, Records) = (services, xds, logs, records);
        Engine = services.GetRequiredService<MeshEngine>();
    }

    public ScriptedXdsClient Xds { get; }

    public RecordedLogs Logs { get; }

    /// <summary>What its requests told at their ends.</summary>
    public RecordLedger Records { get; }

    /// <summary>The test ends with requests that wait for something other than an endpoint.</summary>
    public bool LeavesRequests { get; set; }

    public IServiceProvider Services => _services;

    public MeshEngine Engine { get; }

    /// <summary>The endpoints in force.</summary>
    public IEnumerable<EndpointState> Endpoints => Engine.Clusters.All.SelectMany(c => c.Cluster.Current.Endpoints.Endpoints).Select(e => e.State);

    /// <summary>Requests that have not ended, over all endpoints in force.</summary>
    public int ActiveRequests => Endpoints.Sum(e => e.ActiveRequests);

    /// <summary>Permits of circuit breakers that have not been given back, over all clusters.</summary>
    public long Permits
        => Engine.Clusters.All
            .SelectMany(c => new[] { c.Cluster.Breakers[RoutingPriority.Default], c.Cluster.Breakers[RoutingPriority.High] })
            .Sum(b => (long)b.ActiveRequests + b.PendingRequests + b.ActiveRetries);

    public static ClientMesh Create(Action<IServiceCollection>? configure = null, Action<MeshOptions>? options = null, TimeProvider? time = null)
    {
        var application = new ClientMeshServices();
        if (time is not null)
        {
            application.Services.AddSingleton(time);
        }

        application.Services.AddMeshClient(options);
        configure?.Invoke(application.Services);
        return application.Build();
    }

    public HttpClient Client(string name = "")
    {
        var client = _services.GetRequiredService<IHttpClientFactory>().CreateClient(name);
        client.Timeout = TimeSpan.FromSeconds(30);
        return client;
    }

    /// <summary>The handlers of a client without the client, which would wrap what they throw.</summary>
    public HttpMessageInvoker Invoker(string name = "")
        => new(_services.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler(name), disposeHandler: false);

    /// <summary>A service with one route, one cluster and endpoints on this machine.</summary>
    public ClientMesh Serve(string authority, int port, bool http2 = false)
    {
        Xds.Set(ListenerType.Instance, DataPlane.Tests.Resources.Listener(authority, authority));
        Xds.Set(RouteConfigurationType.Instance, DataPlane.Tests.Resources.Routes(authority, DataPlane.Tests.Resources.Prefix("/", authority)));
        return SetCluster(authority, http2).SetEndpoints(authority, port);
    }

    public ClientMesh SetCluster(string name, bool http2 = false)
    {
        Xds.Set(ClusterType.Instance, http2 ? Http2(DataPlane.Tests.Resources.Cluster(name)) : DataPlane.Tests.Resources.Cluster(name));
        return this;
    }

    public ClientMesh SetEndpoints(string cluster, params int[] ports)
    {
        Xds.Set(EndpointsType.Instance, DataPlane.Tests.Resources.Endpoints(cluster, ports));
        return this;
    }

    public static Envoy.Config.Cluster.V3.Cluster Http2(Envoy.Config.Cluster.V3.Cluster cluster)
    {
        cluster.TypedExtensionProtocolOptions.Add(
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            Any.Pack(new HttpProtocolOptions
            {
                ExplicitHttpConfig = new HttpProtocolOptions.Types.ExplicitHttpConfig { Http2ProtocolOptions = new Envoy.Config.Core.V3.Http2ProtocolOptions() },
            }));
        return cluster;
    }

    public async ValueTask DisposeAsync()
    {
        var active = (int)Permits;
        await _services.DisposeAsync();

        // Whatever a test is about: a request that is over is told of, once.
        Records.Confused.ShouldBe(0);
        if (!LeavesRequests)
        {
            Records.Open.ShouldBeLessThanOrEqualTo(active);
        }
    }
}
