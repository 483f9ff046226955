using System.Collections.Concurrent;
using System.Net.Http.Headers;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Mesh.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using EnvoyAction = Envoy.Config.Route.V3.RouteAction;

namespace Mesh.Client.Tests.Timeouts;

/// <summary>What upstreams are told of how long they are waited for, and callers of how long that was.</summary>
public sealed class ExpectedTimeoutTests : IAsyncDisposable
{
    private const string Header = "x-envoy-expected-rq-timeout-ms";
    private const string ServiceTime = "x-envoy-upstream-service-time";

    private readonly ManualTimeProvider _time = new();
    private readonly ConcurrentQueue<string> _expected = new();
    private readonly ConcurrentQueue<string> _grpc = new();
    private Func<HttpContext, Task> _answer = _ => Task.CompletedTask;
    private WebServer _server = null!;
    private ClientMesh _mesh = null!;

    public async ValueTask DisposeAsync()
    {
        await _mesh.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData(0, 0, "")]
    [InlineData(3, 0, "3000")]
    [InlineData(3, 1, "1000")]
    [InlineData(0, 1, "1000")]
    [InlineData(3, 5, "3000")]
    public async Task An_upstream_is_told_one_trys_time_and_else_that_of_all(double route, double perTry, string expected)
    {
        await ServeAsync(action =>
        {
            action.Timeout = Seconds(route);
            action.RetryPolicy = perTry == 0 ? null : new RetryPolicy { RetryOn = "5xx", PerTryTimeout = Seconds(perTry) };
        });

        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/");
        (await SendAsync(request)).Dispose();

        _expected.ShouldBe([expected]);
        request.Headers.ShouldBeEmpty();
    }

    [Fact]
    public async Task Of_a_hedged_request_every_try_may_take_all_the_time()
    {
        await ServeAsync(action =>
        {
            action.Timeout = Seconds(3);
            action.RetryPolicy = new RetryPolicy { RetryOn = "5xx", PerTryTimeout = Seconds(1) };
            action.HedgePolicy = new HedgePolicy { HedgeOnPerTryTimeout = true };
        });

        (await SendAsync(new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/"))).Dispose();

        _expected.ShouldBe(["3000"]);
    }

    [Fact]
    public async Task A_later_try_is_told_what_is_left()
    {
        await ServeAsync(action =>
        {
            action.Timeout = Seconds(3);
            action.RetryPolicy = new RetryPolicy { RetryOn = "5xx", NumRetries = 2, PerTryTimeout = Seconds(2), RetryBackOff = new() { BaseInterval = Seconds(0.001) } };
        });
        _answer = context =>
        {
            _time.Advance(TimeSpan.FromSeconds(1.25));
            context.Response.StatusCode = _expected.Count == 1 ? 503 : 200;
            return Task.CompletedTask;
        };

        using var request = new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/") { Headers = { { Header, "77" } } };
        using var response = await SendAsync(request);

        _expected.ShouldBe(["2000", "1750"]);
        request.Headers.GetValues(Header).ShouldBe(["77"]);
        response.Headers.GetValues(ServiceTime).ShouldBe(["2500"]);
    }

    [Fact]
    public async Task The_callers_own_timeout_is_what_is_told()
    {
        await ServeAsync(action => action.Timeout = Seconds(3));

        (await SendAsync(new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/") { Headers = { { "x-envoy-upstream-rq-timeout-ms", "250" } } })).Dispose();

        _expected.ShouldBe(["250"]);
    }

    [Theory]
    [InlineData("2S", 5, "2000m")]
    [InlineData(null, 5, "5000m")]
    [InlineData("9S", 5, "5000m")]
    [InlineData(null, 0, "")]
    public async Task Where_the_route_takes_the_grpc_timeout_over_it_says_the_same(string? asked, double max, string told)
    {
        await ServeAsync(
            action =>
            {
#pragma warning disable CS0612
                action.MaxGrpcTimeout = Seconds(max);
#pragma warning restore CS0612
                action.Timeout = Seconds(0);
            },
            http2: true);
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/a.B/C") { Content = new ByteArrayContent(new byte[5]) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        if (asked is not null)
        {
            request.Headers.Add("grpc-timeout", asked);
        }

        (await SendAsync(request)).Dispose();

        _grpc.ShouldBe([told]);
        request.Headers.TryGetValues("grpc-timeout", out var own);
        (own?.Single()).ShouldBe(asked);
    }

    [Fact]
    public async Task What_another_proxy_expects_is_the_timeout_where_the_router_is_to_respect_it()
    {
        await ServeAsync(action => action.Timeout = Seconds(3), router: router => router.RespectExpectedRqTimeout = true);

        (await SendAsync(new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/") { Headers = { { Header, "500" } } })).Dispose();
        (await SendAsync(new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/"))).Dispose();

        _expected.ShouldBe(["500", "3000"]);
    }

    [Fact]
    public async Task Nobody_is_told_anything_where_the_router_is_to_keep_silent()
    {
        await ServeAsync(action => action.Timeout = Seconds(3), router: router => router.SuppressEnvoyHeaders = true);

        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/"));

        _expected.ShouldBe([""]);
        response.Headers.Contains(ServiceTime).ShouldBeFalse();
    }

    [Fact]
    public async Task The_caller_is_told_how_long_the_upstream_took_and_may_have_it_removed()
    {
        await ServeAsync(action => action.Timeout = Seconds(0));
        _answer = context =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(1234.9));
            context.Response.Headers[ServiceTime] = "7";
            return Task.CompletedTask;
        };

        using var response = await _mesh.Client().GetAsync("http://reviews:9080/").Within();
        response.Headers.GetValues(ServiceTime).ShouldBe(["1234"]);

        _mesh.Xds.Set(RouteConfigurationType.Instance, RouteRulesOf(action => { }, route => route.ResponseHeadersToRemove.Add(ServiceTime)));
        using var without = await _mesh.Client().GetAsync("http://reviews:9080/").Within();
        without.Headers.Contains(ServiceTime).ShouldBeFalse();
    }

    [Fact]
    public async Task A_reply_of_the_mesh_itself_has_no_service_time()
    {
        await ServeAsync(_ => { });
        _mesh.SetEndpoints("cluster");

        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, "http://reviews:9080/"));

        ((int)response.StatusCode).ShouldBe(503);
        response.Headers.Contains(ServiceTime).ShouldBeFalse();
    }

    private static Duration Seconds(double seconds) => Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds));

    private static RouteConfiguration RouteRulesOf(Action<EnvoyAction> action, Action<Route> route)
    {
        var message = DataPlane.Tests.Resources.Prefix("/", "cluster");
        action(message.Route_);
        route(message);
        return DataPlane.Tests.Resources.Routes("routes", message);
    }

    private async Task ServeAsync(Action<EnvoyAction> action, bool http2 = false, Action<Router>? router = null)
    {
        _server = await WebServer.StartAsync(
            context =>
            {
                _expected.Enqueue(context.Request.Headers[Header].ToString());
                _grpc.Enqueue(context.Request.Headers["grpc-timeout"].ToString());
                return _answer(context);
            },
            http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);

        // Time stands still unless the server moves it, but for the waits between tries.
        _mesh = ClientMesh.Create(services => services.AddSingleton(new DataPlane.Retry.BackOffTime(TimeProvider.System)), time: _time);
        var listener = DataPlane.Tests.Resources.Listener("reviews:9080", "routes");
        if (router is not null)
        {
            var manager = listener.ApiListener.ApiListener_.Unpack<HttpConnectionManager>();
            var message = new Router();
            router(message);
            manager.HttpFilters[0].TypedConfig = Any.Pack(message);
            listener.ApiListener.ApiListener_ = Any.Pack(manager);
        }

        _mesh.Xds.Set(ListenerType.Instance, listener);
        _mesh.Xds.Set(RouteConfigurationType.Instance, RouteRulesOf(action, _ => { }));
        _mesh.SetCluster("cluster", http2).SetEndpoints("cluster", _server.Port);
    }

    private Task<HttpResponseMessage> SendAsync(HttpRequestMessage request) => _mesh.Invoker().SendAsync(request, CancellationToken.None).Within();
}
