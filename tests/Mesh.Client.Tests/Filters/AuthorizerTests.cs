using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Extensions.Filters.Http.ExtAuthz.V3;
using Envoy.Extensions.Filters.Http.JwtAuthn.V3;
using Envoy.Service.Auth.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.Servers;
using Mesh.TestNet;
using Mesh.Testing;
using Mesh.Xds.Tests.Jwt;
using Microsoft.AspNetCore.Http;
using Manager = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager;
using HttpFilter = Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpFilter;

namespace Mesh.Client.Tests.Filters;

/// <summary>Filters that ask others, over sockets: a gRPC authorizer, an HTTP authorizer, the keys of an issuer.</summary>
public sealed class AuthorizerTests : IAsyncDisposable
{
    private const string Service = "reviews:9080";
    private const string Authorizer = "outbound|9191||opa.default.svc.cluster.local";

    private readonly ManualTimeProvider _time = new();
    private readonly ClientMesh _mesh;
    private readonly List<IAsyncDisposable> _servers = [];
    private int _served;

    public AuthorizerTests() => _mesh = ClientMesh.Create(time: _time);

    public async ValueTask DisposeAsync()
    {
        await _mesh.DisposeAsync();
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_gRPC_authorizer_is_asked_once_for_each_request_on_one_connection()
    {
        var asked = new List<CheckRequest>();
        var server = await Own(AuthorizerServer.StartAsync(request =>
        {
            asked.Add(request);
            var isAllowed = request.Attributes.Request.Http.Headers.TryGetValue("x-user", out var user) && user == "alice";
            return Task.FromResult(isAllowed ? new CheckResponse() : new CheckResponse { Status = new() { Code = 7 }, DeniedResponse = new() { Body = "not you" } });
        }));
        await ListenAsync(Grpc(server.Port));

        for (var i = 0; i < 5; i++)
        {
            (await Get(("x-user", "alice"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        var denied = await Get(("x-user", "mallory"));
        (denied.StatusCode, await denied.Content.ReadAsStringAsync()).ShouldBe((HttpStatusCode.Forbidden, "not you"));
        (asked.Count, _served, server.Connections).ShouldBe((6, 5, 1));
    }

    [Fact]
    public async Task A_gRPC_authorizer_that_hangs_is_a_failure_when_its_time_is_over_and_is_told()
    {
        var asked = new TaskCompletionSource();
        var gone = new TaskCompletionSource();
        var server = await Own(AuthorizerServer.StartAsync(async _ =>
        {
            asked.SetResult();
            await gone.Task;
            return new CheckResponse();
        }));
        await ListenAsync(Grpc(server.Port));

        var get = Get();
        await asked.Task;

        // Its clock begins when the request has gone out, which the server may know before the client does.
        while (!get.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }

        (await get).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        _served.ShouldBe(0);
        _mesh.Logs.Lines.ShouldContain(l => l.Contains("could not be asked"));
        gone.SetResult();
    }

    [Fact]
    public async Task An_authorizer_that_does_not_listen_lets_nobody_pass_and_neither_does_one_that_speaks_something_else()
    {
        var html = await Own(WebServer.StartAsync(context => context.Response.WriteAsync("<html>"), Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http2));
        await ListenAsync(Grpc(ClosedPort.Take()));
        (await Get()).StatusCode.ShouldBe(HttpStatusCode.Forbidden);

        await ListenAsync(Grpc(html.Port));
        (await Get()).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        _served.ShouldBe(0);
    }

    [Fact]
    public async Task An_HTTP_authorizer_sees_the_request_and_what_it_says_reaches_the_application()
    {
        string? seen = null;
        var server = await Own(WebServer.StartAsync(context =>
        {
            seen = $"{context.Request.Method} {context.Request.Host} {context.Request.Path}";
            context.Response.StatusCode = context.Request.Headers.Authorization == "Bearer good" ? 200 : 401;
            context.Response.Headers["x-user"] = "alice";
            context.Response.Headers.WWWAuthenticate = "Bearer";
            return Task.CompletedTask;
        }));
        await ListenAsync(Http(server.Port));

        var allowed = await Get(("authorization", "Bearer good"));
        (allowed.StatusCode, await allowed.Content.ReadAsStringAsync()).ShouldBe((HttpStatusCode.OK, "alice"));
        seen.ShouldBe($"GET {Service} /books");

        var denied = await Get(("authorization", "Bearer bad"));
        (denied.StatusCode, denied.Headers.WwwAuthenticate.ToString()).ShouldBe((HttpStatusCode.Unauthorized, "Bearer"));
        _served.ShouldBe(1);
    }

    [Fact]
    public async Task The_outlier_detection_of_the_authorizers_cluster_counts_its_failures()
    {
        var bad = await Own(WebServer.StartAsync(context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        }));
        var good = await Own(WebServer.StartAsync(_ => Task.CompletedTask));
        await ListenAsync(Http(bad.Port, good.Port));
        var cluster = DataPlane.Tests.Resources.Cluster(Authorizer);
        cluster.OutlierDetection = new() { Consecutive5Xx = 3, MaxEjectionPercent = 100 };
        _mesh.Xds.Set(DataPlane.Resources.ClusterType.Instance, cluster);

        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 20; i++)
        {
            statuses.Add((await Get()).StatusCode);
        }

        statuses.Count(s => s == HttpStatusCode.Forbidden).ShouldBe(3);
        statuses[^5..].ShouldAllBe(s => s == HttpStatusCode.OK);
    }

    [Fact]
    public async Task Keys_come_from_a_real_server_and_serve_on_when_it_is_gone()
    {
        using var issuer = new TokenIssuer();
        var fetches = 0;
        var server = await WebServer.StartAsync(context =>
        {
            fetches++;
            return context.Response.WriteAsync(TokenIssuer.KeySet(issuer.RsaKey()));
        });
        _mesh.SetCluster(Authorizer).SetEndpoints(Authorizer, server.Port);
        await ListenAsync(("envoy.filters.http.jwt_authn", new JwtAuthentication
        {
            Providers =
            {
                ["p"] = new JwtProvider
                {
                    Issuer = "issuer",
                    RemoteJwks = new RemoteJwks
                    {
                        HttpUri = new HttpUri { Uri = "http://issuer.example/keys", Cluster = Authorizer, Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(5)) },
                        CacheDuration = Duration.FromTimeSpan(TimeSpan.FromSeconds(20)),
                    },
                },
            },
            Rules = { new RequirementRule { Match = new() { Prefix = "/" }, Requires = new JwtRequirement { ProviderName = "p" } } },
        }));
        var token = ("authorization", "Bearer " + issuer.Sign(TokenIssuer.Claims()));

        (await Get(token)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Get(("authorization", "Bearer forged"))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        await server.DisposeAsync();
        _time.Advance(TimeSpan.FromSeconds(30));

        (await Get(token)).StatusCode.ShouldBe(HttpStatusCode.OK);
        fetches.ShouldBe(1);
    }

    private (string, IMessage) Grpc(int port)
    {
        _mesh.SetCluster(Authorizer, http2: true).SetEndpoints(Authorizer, port);
        return ("envoy.filters.http.ext_authz", new ExtAuthz
        {
            TransportApiVersion = ApiVersion.V3,
            GrpcService = new GrpcService { EnvoyGrpc = new() { ClusterName = Authorizer, Authority = "opa.default.svc.cluster.local" } },
        });
    }

    private (string, IMessage) Http(params int[] ports)
    {
        _mesh.SetCluster(Authorizer).SetEndpoints(Authorizer, ports);
        return ("envoy.filters.http.ext_authz", new ExtAuthz
        {
            HttpService = new()
            {
                ServerUri = new() { Uri = "http://opa", Cluster = Authorizer, Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(5)) },
                AuthorizationResponse = new() { AllowedUpstreamHeaders = new() { Patterns = { new Envoy.Type.Matcher.V3.StringMatcher { Exact = "x-user" } } } },
            },
        });
    }

    private async Task ListenAsync((string Name, IMessage Config) filter)
    {
        if (_servers.All(s => s is not Application))
        {
            var server = await WebServer.StartAsync(context =>
            {
                Interlocked.Increment(ref _served);
                return context.Response.WriteAsync(context.Request.Headers["x-user"].ToString());
            });
            _servers.Add(new Application(server));
            _mesh.Serve(Service, server.Port);
        }

        var listener = DataPlane.Tests.Resources.Listener(Service, Service);
        var manager = listener.ApiListener.ApiListener_.Unpack<Manager>();
        manager.HttpFilters.Insert(0, new HttpFilter { Name = filter.Name, TypedConfig = Any.Pack(filter.Config) });
        listener.ApiListener.ApiListener_ = Any.Pack(manager);
        _mesh.Xds.Set(_mesh.Engine.Filters.Listeners, listener);
    }

    private Task<HttpResponseMessage> Get(params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"http://{Service}/books");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return _mesh.Client().SendAsync(request);
    }

    private async Task<WebServer> Own(Task<WebServer> starting)
    {
        var server = await starting;
        _servers.Add(server);
        return server;
    }

    private sealed class Application(WebServer server) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => server.DisposeAsync();
    }
}
