using System.Net.Http.Headers;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Explaining;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests;
using Mesh.DataPlane.Tests.Dns;
using Mesh.DataPlane.Upstream;
using Mesh.TestNet;
using Mesh.Testing;
using Microsoft.Extensions.DependencyInjection;
using EnvoyFilter = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpFilter;
using Fixture = Mesh.DataPlane.Tests.Resources;
using Manager = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager;
using RouterFilter = Envoy.Extensions.Filters.Http.Router.V3.Router;

namespace Mesh.Client.Tests.LocalReplies;

/// <summary>A mesh in which a call goes wrong in one way: what is called, and what happens while it is under way.</summary>
internal sealed class Situation : IAsyncDisposable, IDecisionObserver
{
    public const string Authority = "reviews:9080";

    private static readonly MediaTypeHeaderValue Grpc = new("application/grpc");

    private readonly List<IDisposable> _owned = [];
    private readonly List<LocalReply> _observed = [];

    public Situation(Action<MeshOptions>? options = null, Action<IServiceCollection>? configure = null, TimeProvider? time = null)
    {
        Resolver = new ScriptedResolver(Time);
        Mesh = ClientMesh.Create(
            services =>
            {
                services.AddSingleton<IDecisionObserver>(this);
                services.AddSingleton<IDnsResolver>(Resolver);
                services.AddSingleton<IRandomSource>(new SequenceRandomSource(100));
                configure?.Invoke(services);
                services.AddHttpClient("thrower").UseMeshLocalReplies(LocalReplyMode.Throw);
            },
            options,
            time ?? Time);
        Mesh.Serve(Authority, ClosedPort.Take());
    }

    public ManualTimeProvider Time { get; } = new();

    public ScriptedResolver Resolver { get; }

    public ClientMesh Mesh { get; }

    public Uri Uri { get; set; } = new($"http://{Authority}/");

    public HttpMethod? Method { get; set; }

    public string? Host { get; set; }

    public Dictionary<string, string> Headers { get; } = [];

    /// <summary>A body that is more than the few bytes of a gRPC message.</summary>
    public Func<HttpContent>? Body { get; set; }

    /// <summary>What happens once the request has been sent: time passes.</summary>
    public Func<Task>? Meanwhile { get; set; }

    /// <summary>What the observer was told.</summary>
    public IReadOnlyList<LocalReply> Observed
    {
        get
        {
            lock (_observed)
            {
                return [.. _observed];
            }
        }
    }

    public T Own<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }

    public Situation Listen(params (string Name, IMessage Config)[] filters)
    {
        var listener = Fixture.Listener(Authority, Authority);
        var manager = listener.ApiListener.ApiListener_.Unpack<Manager>();
        manager.HttpFilters.Clear();
        manager.HttpFilters.Add(filters.Select(f => new EnvoyFilter { Name = f.Name, TypedConfig = Any.Pack(f.Config) }));
        manager.HttpFilters.Add(new EnvoyFilter { Name = "envoy.filters.http.router", TypedConfig = Any.Pack(new RouterFilter()) });
        listener.ApiListener.ApiListener_ = Any.Pack(manager);
        Mesh.Xds.Set(Mesh.Engine.Filters.Listeners, listener);
        return this;
    }

    public Situation Route(params Envoy.Config.Route.V3.Route[] routes)
    {
        Mesh.Xds.Set(Mesh.Engine.Filters.Routes, Fixture.Routes(Authority, routes));
        return this;
    }

    /// <summary>The one message of a gRPC call, or whatever the situation needs of others.</summary>
    public HttpRequestMessage Request(bool grpc)
    {
        var request = new HttpRequestMessage(Method ?? (grpc || Body is not null ? HttpMethod.Post : HttpMethod.Get), Uri);
        foreach (var (name, value) in Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        request.Headers.Host = Host;
        request.Content = Body?.Invoke() ?? (grpc ? new ByteArrayContent(new byte[5]) : null);
        if (grpc)
        {
            request.Content!.Headers.ContentType = Grpc;
        }

        return request;
    }

    public async Task<T> SendAsync<T>(Func<Task<T>> send)
    {
        // The first call for a host waits for its configuration, by timers of its own.
        await Mesh.Engine.Hosts.ResolveAsync("reviews", 9080, CancellationToken.None);
        var sending = send();
        if (Meanwhile is not null)
        {
            await Meanwhile().Within();
        }

        return await sending.Within();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var owned in _owned)
        {
            owned.Dispose();
        }

        await Mesh.DisposeAsync();
    }

    void IDecisionObserver.OnDecided(HostEntry host, HttpRequestMessage request, ulong draw, in Decision decision)
    {
    }

    void IDecisionObserver.OnOutsideMesh(HttpRequestMessage request, bool refused, string cluster)
    {
    }

    void IDecisionObserver.OnReplied(HttpRequestMessage request, LocalReply reply)
    {
        lock (_observed)
        {
            _observed.Add(reply);
        }
    }
}
