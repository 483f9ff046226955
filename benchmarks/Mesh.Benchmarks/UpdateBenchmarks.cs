using BenchmarkDotNet.Attributes;
using Mesh.DataPlane;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests;
using Mesh.DataPlane.Transports;

namespace Mesh.Benchmarks;

/// <summary>One endpoint of one cluster changes in a process that holds ten thousand: from the decoded resource to the swapped set.</summary>
[MemoryDiagnoser]
[InProcess]
public class UpdateBenchmarks
{
    private const int Clusters = 10_000;

    private readonly ScriptedXdsClient _xds = new();
    private MeshEngine _engine = null!;
    private int _port;

    [GlobalSetup]
    public void Setup()
    {
        var options = new MeshOptions { Client = { MaxOnDemandHosts = Clusters } };
        _engine = new MeshEngine(_xds, options, new SocketTransportFactory(TimeProvider.System), SystemRandomSource.Instance, TimeProvider.System);
        for (var i = 0; i < Clusters; i++)
        {
            _xds.Set(ListenerType.Instance, Resources.Listener($"s{i}:80", $"r{i}"));
            _xds.Set(RouteConfigurationType.Instance, Resources.Routes($"r{i}", Resources.Prefix("/", $"c{i}")));
            _xds.Set(ClusterType.Instance, Resources.Cluster($"c{i}"));
            _xds.Set(EndpointsType.Instance, Resources.Endpoints($"c{i}", 1, 2, 3));
        }

        _engine.Hosts.PreloadAsync(Enumerable.Range(0, Clusters).Select(i => new DataPlane.Hosts.HostKey($"s{i}", 80)), CancellationToken.None).GetAwaiter().GetResult();
    }

    [Benchmark]
    public void One_endpoint_changes() => _xds.Set(EndpointsType.Instance, Resources.Endpoints("c5000", 1, 2, 1024 + (_port++ % 60_000)));
}
