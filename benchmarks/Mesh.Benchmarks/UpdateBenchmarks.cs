using BenchmarkDotNet.Attributes;
using Mesh.DataPlane;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests;

namespace Mesh.Benchmarks;

/// <summary>One endpoint of one cluster changes in a process that holds ten thousand with a hundred thousand endpoints: from the decoded resource to the swapped set.</summary>
[MemoryDiagnoser]
[InProcess]
public class UpdateBenchmarks
{
    private readonly ScriptedXdsClient _xds = new();
    private MeshEngine _engine = null!;
    private int _port;

    [GlobalSetup]
    public void Setup() => _engine = LargeMesh.Create(_xds);

    [Benchmark]
    public void One_endpoint_changes() => _xds.Set(EndpointsType.Instance, Resources.Endpoints("c5000", LargeMesh.Ports(1024 + (_port++ % 60_000))));
}
