using BenchmarkDotNet.Attributes;
using Envoy.Config.Route.V3;
using Mesh.DataPlane;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Tests;
using Mesh.DataPlane.Upstream;

namespace Mesh.Benchmarks;

/// <summary>Look-up of the host, match and pick for a request message that nobody has looked at before: half exact, half prefix routes.</summary>
// An iteration is one pass over fresh messages, some tens of microseconds: many of them, and tiering done before they count.
[MemoryDiagnoser]
[InProcess]
[WarmupCount(400)]
[IterationCount(200)]
[InvocationCount(1)]
public class DecisionBenchmarks
{
    private const int Messages = 256;
    private const int Repetitions = 64;

    private readonly HttpRequestMessage[] _requests = new HttpRequestMessage[Messages];
    private MeshEngine _engine = null!;
    private DecisionMaker _decisions = null!;
    private ulong _draw;

    [Params(10, 1_000, 10_000)]
    public int Routes { get; set; }

    [Params(0, 3)]
    public int Headers { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _engine = BenchmarkMesh.Create(Enumerable.Range(0, Routes).Select(Route));
        CreateMessages();
        _decisions = new DecisionMaker(new DataPlane.Clusters.HeaderClusters(_engine.Clusters, TimeProvider.System, TimeSpan.Zero, new Lock()));
    }

    // Before every iteration of `Messages` operations: no message is decided twice, and the routes have left the nearest caches meanwhile.
    [IterationSetup(Target = nameof(Fresh))]
    public void FreshMessages() => CreateMessages();

    private void CreateMessages()
    {
        var random = new Random(1);
        for (var i = 0; i < Messages; i++)
        {
            var route = random.Next(Routes);
            var request = new HttpRequestMessage(HttpMethod.Get, $"http://{BenchmarkMesh.Host}:{BenchmarkMesh.Port}{Path(route)}{(route % 2 == 0 ? "" : "/0")}?page=1");
            request.Headers.TryAddWithoutValidation("x-request-id", "5f1c");
            request.Headers.TryAddWithoutValidation("x-tier", "gold");
            request.Headers.TryAddWithoutValidation("x-region", "eu-west");
            request.Headers.TryAddWithoutValidation("end-user", "jason");

            // Both strings are made once a message whoever sends it: SocketsHttpHandler needs the very same.
            _ = request.RequestUri!.PathAndQuery;
            _ = request.RequestUri.IdnHost;
            _requests[i] = request;
        }
    }

    [Benchmark(OperationsPerInvoke = Messages)]
    public int Fresh() => Decide();

    /// <summary>The same messages, again and again: what is left when memory is near.</summary>
    [Benchmark(OperationsPerInvoke = Messages * Repetitions)]
    public int Repeated()
    {
        var picked = 0;
        for (var i = 0; i < Repetitions; i++)
        {
            picked += Decide();
        }

        return picked;
    }

    private int Decide()
    {
        var picked = 0;
        foreach (var request in _requests)
        {
            var uri = request.RequestUri!;
            var host = _engine.Hosts.Find(uri.IdnHost, uri.Port)!;
            var view = new RequestView(uri.PathAndQuery, request.Method.Method, host.Authority, uri.Scheme, HttpRequestHeaderReader.Instance, request);
            var decision = _decisions.Decide(host.State, view, _draw += 0x9E3779B97F4A7C15);
            picked += decision.Endpoint is null ? 0 : 1;
        }

        return picked == Messages ? picked : throw new InvalidOperationException("a request found no endpoint");
    }

    private static string Path(int route) => route % 2 == 0 ? $"/api/v1/products/{route}/details" : $"/catalog/{route}/items";

    private Route Route(int index)
    {
        var match = index % 2 == 0 ? new RouteMatch { Path = Path(index) } : new RouteMatch { Prefix = Path(index) };
        foreach (var (name, value) in new[] { ("x-tier", "gold"), ("x-region", "eu-west"), ("end-user", "jason") }.Take(Headers))
        {
            match.Headers.Add(new Envoy.Config.Route.V3.HeaderMatcher { Name = name, StringMatch = new() { Exact = value } });
        }

        return new Route { Match = match, Route_ = new RouteAction { Cluster = "cluster" } };
    }
}
