using System.Collections.Concurrent;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Transports;
using Mesh.Testing;
using Mesh.Xds.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.DataPlane.Tests.Filters;

/// <summary>An application whose clients call one service through the filters of its listener: the control plane, time and chance are the test's.</summary>
internal sealed class FilterMesh : IAsyncDisposable
{
    public const string Authority = "reviews:9080";

    private readonly ServiceProvider _services;
    private readonly ScriptedXdsClient _xds = new();
    private readonly EndpointDirectory _endpoints = new();
    private readonly ConcurrentQueue<ReceivedRequest> _received = [];

    public FilterMesh(IRandomSource? random = null, Action<IServiceCollection>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IXdsClient>(_xds);
        services.AddSingleton<TimeProvider>(Time);
        services.AddSingleton(random ?? new SequenceRandomSource(100));
        services.AddSingleton<IEndpointTransportFactory>(new InMemoryTransportFactory(_endpoints));
        services.AddMeshClient(o => o.Client.MaxOnDemandHosts = 10);
        configure?.Invoke(services);
        _services = services.BuildServiceProvider();
        Engine = _services.GetRequiredService<MeshEngine>();
        Client = _services.GetRequiredService<IHttpClientFactory>().CreateClient();
        Client.BaseAddress = new Uri("http://" + Authority);
        Client.Timeout = Timeout.InfiniteTimeSpan;
        AddCluster("v1");
        Listen();
        Route(Resources.Prefix("/", "v1"));
    }

    public ManualTimeProvider Time { get; } = new();

    public IServiceProvider Services => _services;

    public MeshEngine Engine { get; }

    public HttpClient Client { get; }

    public ScriptedXdsClient Xds => _xds;

    /// <summary>What the endpoints have got: cluster and request line, the headers joined.</summary>
    public IReadOnlyList<ReceivedRequest> Received => [.. _received];

    /// <summary>How the endpoints answer.</summary>
    public Func<HttpRequestMessage, HttpResponseMessage> Respond { get; set; } = _ => new HttpResponseMessage { Content = new StringContent("hello") };

    public static HttpFilter Filter(string name, IMessage config, bool disabled = false, bool optional = false)
        => new() { Name = name, TypedConfig = Any.Pack(config), Disabled = disabled, IsOptional = optional };

    public FilterMesh Listen(params HttpFilter[] filters)
    {
        var listener = Resources.Listener(Authority, "routes");
        var manager = listener.ApiListener.ApiListener_.Unpack<HttpConnectionManager>();
        manager.HttpFilters.Clear();
        manager.HttpFilters.Add(filters);
        manager.HttpFilters.Add(new HttpFilter { Name = "envoy.filters.http.router", TypedConfig = Any.Pack(new Router()) });
        listener.ApiListener.ApiListener_ = Any.Pack(manager);
        _xds.Set(Engine.Filters.Listeners, listener);
        return this;
    }

    public FilterMesh Route(params Route[] routes) => Route(Resources.Routes("routes", routes));

    public FilterMesh Route(RouteConfiguration routes)
    {
        _xds.Set(Engine.Filters.Routes, routes);
        return this;
    }

    /// <summary>A cluster with one endpoint for each number, 10.0.0.n:80.</summary>
    public FilterMesh AddCluster(string name, params int[] hosts)
    {
        var addresses = (hosts.Length == 0 ? [100 + name.Length] : hosts).Select(n => $"10.0.0.{n}").ToList();
        foreach (var address in addresses)
        {
            _endpoints.Map(System.Net.IPEndPoint.Parse(address + ":80"), new Endpoint(this, name, address));
        }

        _xds.Set(ClusterType.Instance, Resources.Cluster(name));
        _xds.Set(
            EndpointsType.Instance,
            new Envoy.Config.Endpoint.V3.ClusterLoadAssignment
            {
                ClusterName = name,
                Endpoints = { new Envoy.Config.Endpoint.V3.LocalityLbEndpoints { LbEndpoints = { addresses.Select(a => Resources.Endpoint(a, 80)) } } },
            });
        return this;
    }

    public Task<HttpResponseMessage> GetAsync(string path = "/", params (string Name, string Value)[] headers)
        => SendAsync(HttpMethod.Get, path, headers);

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private sealed class Endpoint(FilterMesh mesh, string cluster, string address) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var body = request.Content is null ? null : await request.Content.ReadAsStringAsync(cancellationToken);
            var headers = request.Headers.NonValidated.Concat(request.Content?.Headers.NonValidated ?? default)
                .ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
            mesh._received.Enqueue(new ReceivedRequest(cluster, address, request.Method.Method, request.RequestUri!.PathAndQuery, headers, body));
            return mesh.Respond(request);
        }
    }
}

/// <summary>A request as an endpoint got it.</summary>
internal sealed record ReceivedRequest(string Cluster, string Address, string Method, string Path, IReadOnlyDictionary<string, string> Headers, string? Body);
