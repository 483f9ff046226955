using BenchmarkDotNet.Attributes;
using Mesh.DataPlane.Filters.Rbac;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Tests.Filters.Rbac;
using Mesh.DataPlane.Upstream;

namespace Mesh.Benchmarks;

/// <summary>One authorization decision over a thousand policies of which the last by name matches, and over a thousand that have to be asked one by one.</summary>
[MemoryDiagnoser]
public class RbacBenchmarks
{
    private readonly HttpRequestMessage _request = new(HttpMethod.Get, $"http://{RbacCorpus.Authority}{RbacCorpus.Path}");
    private readonly ConnectionFacts _connection = RbacCorpus.Connect();
    private RbacEngine _engine = null!;

    [Params("principal", "path", "method", "header", "unindexable")]
    public string Last { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        _request.Headers.TryAddWithoutValidation("user-agent", "benchmarks");
        _request.Headers.TryAddWithoutValidation("accept", "application/json");
        _request.Headers.TryAddWithoutValidation("x-request-id", "5f1c");
        _request.Headers.TryAddWithoutValidation("x-tenant", RbacCorpus.Tenant);
        _request.Headers.TryAddWithoutValidation("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        _engine = RbacCompiler.Compile(Last == "unindexable" ? RbacCorpus.CreateUnindexable() : RbacCorpus.Create(Last), isHttp: true, "rules", []);
        if (!Decide())
        {
            throw new InvalidOperationException("the request is not allowed");
        }
    }

    [Benchmark]
    public bool Decide()
        => _engine.Decide(new RbacRequest(new RequestView(RbacCorpus.Path, RbacCorpus.Method, RbacCorpus.Authority, "http", HttpRequestHeaderReader.Instance, _request), _connection, null, null)).IsAllowed;
}
