using System.Net;
using BenchmarkDotNet.Attributes;
using Envoy.Config.Route.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client;
using Mesh.DataPlane;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests;
using Mesh.DataPlane.Transports;

namespace Mesh.Benchmarks;

/// <summary>What the mesh does around a request, without sockets: the endpoints answer at once.</summary>
[MemoryDiagnoser]
public class HandlerBenchmarks
{
    private readonly byte[] _buffer = new byte[16];
    private MeshEngine _plainEngine = null!;
    private MeshEngine _fullEngine = null!;
    private HttpMessageInvoker _bare = null!;
    private HttpMessageInvoker _plain = null!;
    private HttpMessageInvoker _full = null!;

    [GlobalSetup]
    public void Setup()
    {
        _bare = new HttpMessageInvoker(new AnsweringHandler());
        _plainEngine = BenchmarkMesh.Create([Resources.Prefix("/", "cluster")], new AnsweringTransports());
        _plain = Invoker(_plainEngine);
        _fullEngine = BenchmarkMesh.Create([ResilienceComparison.Route()], ResilienceComparison.Cluster(), host => host.IncludeRequestAttemptCount = true, [1, 2, 3], new AnsweringTransports());
        _full = Invoker(_fullEngine);
    }

    [Benchmark(Baseline = true)]
    public Task Bare() => SendAsync(_bare);

    [Benchmark]
    public Task Mesh() => SendAsync(_plain);

    [Benchmark]
    public Task Mesh_with_resilience() => SendAsync(_full);

    private static HttpMessageInvoker Invoker(MeshEngine engine)
    {
        var primary = new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false };
        return new HttpMessageInvoker(new MeshHandler(engine, PrimaryFeatures.TakeOver(primary)) { InnerHandler = primary });
    }

    private async Task SendAsync(HttpMessageInvoker invoker)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/api/v1/products");
        request.Headers.TryAddWithoutValidation("x-request-id", "5f1c");
        using var response = await invoker.SendAsync(request, CancellationToken.None);
        var body = await response.Content.ReadAsStreamAsync();
        while (await body.ReadAsync(_buffer) > 0)
        {
        }
    }

    private static Task<HttpResponseMessage> AnswerAsync()
        => Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent([1, 2, 3, 4]) });

    private sealed class AnsweringHandler : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => AnswerAsync();
    }

    private sealed class AnsweringTransports : IEndpointTransportFactory, IEndpointTransport
    {
        public IEndpointTransport Create(Cluster cluster, EndpointResource endpoint, TransportSettings settings) => this;

        public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => AnswerAsync();

        public void Dispose()
        {
        }
    }
}
