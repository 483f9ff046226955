using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.Metrics;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.DataPlane.Transports;
using Mesh.Testing;
using Mesh.Xds.Metrics;
using Cluster = Mesh.DataPlane.Clusters.Cluster;
using Endpoint = Mesh.DataPlane.Clusters.Endpoint;

namespace Mesh.DataPlane.Tests.Telemetry.Metrics;

/// <summary>A listener of productpage's whose requests are counted, and what its requests are made of.</summary>
internal sealed class MeasuredListener
{
    private readonly RequestSignals _signals;

    public MeasuredListener(Reporter reporter = Reporter.Source, StatsSettings? settings = null, ServiceNames? own = null, int maxSeries = MetricRegistry.DefaultMaxCells)
    {
        Registry = new MetricRegistry(maxSeries);
        Metrics = new IstioMetrics(Registry, Local, Time);
        _signals = new RequestSignals(reporter, [Metrics.Requests(settings ?? StatsSettings.Of(reporter), reporter, own)], null, Time);
    }

    public static Peer Local { get; } = Peer.OfNode(new Struct
    {
        Fields =
        {
            ["WORKLOAD_NAME"] = Value.ForString("productpage-v1"),
            ["NAMESPACE"] = Value.ForString("default"),
            ["CLUSTER_ID"] = Value.ForString("Kubernetes"),
            ["LABELS"] = Value.ForStruct(new Struct { Fields = { ["app"] = Value.ForString("productpage"), ["version"] = Value.ForString("v1") } }),
        },
    });

    public ManualTimeProvider Time { get; } = new();

    public MetricRegistry Registry { get; }

    public IstioMetrics Metrics { get; }

    /// <summary>A cluster of the mesh as the control plane describes it.</summary>
    public static Cluster Reviews { get; } = ClusterOf("outbound|9080||reviews.default.svc.cluster.local", new ServiceNames("reviews.default.svc.cluster.local", "reviews", "default"));

    /// <summary>A workload of that cluster.</summary>
    public static Endpoint ReviewsV3(Principals? principals = null) => EndpointOf("reviews-v3;default;reviews;v3;Kubernetes", principals);

    public static Cluster ClusterOf(string name, ServiceNames? service = null)
    {
        var cluster = new Cluster(name);
        var policy = new ClusterPolicy(new RoundRobin(), false, 50, new TransportSettings(UpstreamProtocol.Http11, TimeSpan.FromSeconds(1))) { Service = service };
        cluster.Publish(new ClusterState(ClusterStatus.Ready, policy, EndpointSet.Empty, "1", null));
        return cluster;
    }

    public static Endpoint EndpointOf(string workload, Principals? principals = null)
    {
        var resource = EndpointsType.Compile(
            new ClusterLoadAssignment
            {
                Endpoints =
                {
                    new LocalityLbEndpoints
                    {
                        LbEndpoints =
                        {
                            new LbEndpoint
                            {
                                Endpoint = new Envoy.Config.Endpoint.V3.Endpoint { Address = new Address { SocketAddress = new SocketAddress { Address = "10.0.0.1", PortValue = 9080 } } },
                                Metadata = new Metadata { FilterMetadata = { ["istio"] = new Struct { Fields = { ["workload"] = Value.ForString(workload) } } } },
                            },
                        },
                    },
                },
            },
            "",
            namesAllowed: false).Localities[0].Endpoints[0];
        var state = new EndpointState(() => new Transport(principals));
        _ = state.Transport;
        return new Endpoint(resource, "", 0, state);
    }

    /// <summary>One request to reviews, as it is unless somebody changes it.</summary>
    public void Request(Action<RequestRecord>? change = null)
    {
        var record = RequestRecord.Rent(_signals);
        record.Method = "GET";
        record.Path = "/reviews/0";
        record.Authority = "reviews:9080";
        record.Cluster = Reviews;
        record.ClusterName = Reviews.Name;
        record.Status = 200;
        change?.Invoke(record);
        record.Begin();
        record.Release();
    }

    private sealed class Transport(Principals? principals) : IEndpointTransport
    {
        public Principals? Principals => principals;

        public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
