using BenchmarkDotNet.Attributes;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Transports;

namespace Mesh.Benchmarks;

/// <summary>A pick from a cluster of ten hosts, weighted and not, by every policy.</summary>
[MemoryDiagnoser]
[InProcess]
public class PickBenchmarks
{
    private EndpointSet _set = null!;
    private ulong _draw;

    [Params("round robin", "random", "least request", "ring hash", "maglev", "bounded ring hash")]
    public string Policy { get; set; } = "";

    [Params(false, true)]
    public bool Weighted { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        LoadBalancingPolicy policy = Policy switch
        {
            "round robin" => new RoundRobin(),
            "random" => new RandomChoice(),
            "ring hash" => new RingHash(),
            "maglev" => new Maglev(),
            "bounded ring hash" => new RingHash(BalanceFactor: 120),
            _ => new LeastRequest(),
        };
        var endpoints = Enumerable.Range(1, 10)
            .Select(i => new EndpointResource(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, i), "", Weighted ? (uint)i : 1, EndpointHealth.Healthy, new Dictionary<string, string>()))
            .ToArray();
        _set = new EndpointSetBuilder(
            new ClusterPolicy(policy, false, 50, new TransportSettings(UpstreamProtocol.Http11, TimeSpan.FromSeconds(1))),
            new EndpointsResource("c", [new LocalityResource("", 0, 0, endpoints)], 140),
            _ => new EndpointState(() => throw new InvalidOperationException()),
            _ => new HostGroupState(0)).Build();
    }

    [Benchmark]
    public object? Pick()
    {
        _draw += 0x9E3779B97F4A7C15;
        return _set.Pick(new PickContext(_draw) { HasHash = true, Hash = _draw });
    }
}
