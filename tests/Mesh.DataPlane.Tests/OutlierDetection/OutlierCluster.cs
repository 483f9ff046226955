using System.Net;
using Envoy.Config.Cluster.V3;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.OutlierDetection;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests.Dns;
using Mesh.DataPlane.Transports;
using Mesh.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.DataPlane.Tests.OutlierDetection;

/// <summary>A cluster as the engine makes it, with virtual time and without sockets. Hosts are known by their port.</summary>
internal sealed class OutlierCluster : IDisposable
{
    private readonly Lock _sync = new();
    private readonly ScriptedXdsClient _xds = new();
    private readonly ClusterRegistry _clusters;
    private readonly Mesh.DataPlane.Clusters.Cluster _cluster;

    public OutlierCluster(int hosts, Action<Envoy.Config.Cluster.V3.OutlierDetection>? detection = null, Action<Envoy.Config.Cluster.V3.Cluster>? change = null, IRandomSource? random = null)
    {
        var dns = new DnsDiscovery(new ScriptedResolver(Time), new EvenRandomSource(), Time, NullLogger.Instance);
        _clusters = new ClusterRegistry(_xds, new NoTransports(), dns, random ?? new EvenRandomSource(), Time, new ResourceNotes(NullLogger.Instance), NullLogger.Instance, _sync);
        SetCluster(detection, change);
        SetHosts([.. Enumerable.Range(1, hosts)]);
        lock (_sync)
        {
            _cluster = _clusters.Acquire("c");
        }
    }

    public ManualTimeProvider Time { get; } = new();

    public EndpointSet Endpoints => _cluster.Current.Endpoints;

    public OutlierDetector Detector => _clusters.All[0].Health!.Outliers!;

    public int[] Ejected => [.. Endpoints.Endpoints.Where(e => e.Health == EndpointHealth.Unhealthy).Select(Port).Order()];

    /// <summary>The hosts that even draws pick.</summary>
    public int[] Picked
    {
        get
        {
            var random = new EvenRandomSource(1000);
            return [.. Enumerable.Range(0, 1000).Select(_ => Endpoints.Pick(new PickContext(random.NextUInt64()))).OfType<Mesh.DataPlane.Clusters.Endpoint>().Select(Port).Distinct().Order()];
        }
    }

    public void SetCluster(Action<Envoy.Config.Cluster.V3.OutlierDetection>? detection, Action<Envoy.Config.Cluster.V3.Cluster>? change = null)
    {
        var cluster = Resources.Cluster("c");
        cluster.OutlierDetection = new Envoy.Config.Cluster.V3.OutlierDetection();
        detection?.Invoke(cluster.OutlierDetection);
        cluster.CommonLbConfig = new Envoy.Config.Cluster.V3.Cluster.Types.CommonLbConfig { HealthyPanicThreshold = new() };
        change?.Invoke(cluster);
        _xds.Set(ClusterType.Instance, cluster);
    }

    public void SetHosts(params int[] ports) => _xds.Set(EndpointsType.Instance, Resources.Endpoints("c", ports));

    public void SetHosts(ClusterLoadAssignment endpoints) => _xds.Set(EndpointsType.Instance, endpoints);

    public EndpointState State(int port) => Endpoints.Endpoints.First(e => Port(e) == port).State;

    public HostMonitor Monitor(int port) => State(port).Monitor!;

    public OutlierHost Host(int port) => Monitor(port).Outlier!;

    public void Respond(int port, int status, int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            Monitor(port).OnResponse(status);
        }
    }

    public void Fail(int port, LocalOriginFailure failure, int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            Monitor(port).OnLocalOriginFailure(failure);
        }
    }

    public void Advance(double seconds) => Time.Advance(TimeSpan.FromSeconds(seconds));

    public void Dispose()
    {
        lock (_sync)
        {
            _clusters.Release(_cluster);
        }
    }

    public static Duration Seconds(double seconds) => Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds));

    private static int Port(Mesh.DataPlane.Clusters.Endpoint endpoint) => ((IPEndPoint)endpoint.Resource.Address).Port;

    private sealed class NoTransports : IEndpointTransportFactory
    {
        public IEndpointTransport Create(Mesh.DataPlane.Clusters.Cluster cluster, EndpointResource endpoint, TransportSettings settings) => throw new NotSupportedException();
    }
}
