using System.Net;
using Envoy.Config.Route.V3;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Thresholds = Envoy.Config.Cluster.V3.CircuitBreakers.Types.Thresholds;

namespace Mesh.Client.Tests.CircuitBreakers;

/// <summary>Istio's circuit-breaking task with a load generator that counts: one connection, one pending request.</summary>
public class CircuitBreakingTests
{
    private const string Url = "http://httpbin:8000/";

    private static Thresholds OneAndOne => new() { MaxConnections = 1, MaxPendingRequests = 1 };

    [Fact]
    public async Task One_caller_never_overflows()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("ok"));
        await using var mesh = Mesh(server, OneAndOne);
        for (var i = 0; i < 20; i++)
        {
            (await mesh.Client().GetStringAsync(Url).Within()).ShouldBe("ok");
        }

        mesh.Breaker().ShouldHoldNothing();
        server.Connections.ShouldBe(1);
    }

    [Fact]
    public async Task Of_two_callers_one_waits_and_all_come_through()
    {
        await using var server = await WebServer.StartAsync(async context =>
        {
            await Task.Yield();
            await context.Response.WriteAsync("ok");
        });
        await using var mesh = Mesh(server, OneAndOne);
        await Task.WhenAll(Enumerable.Range(0, 2).Select(async _ =>
        {
            for (var i = 0; i < 10; i++)
            {
                (await mesh.Client().GetStringAsync(Url)).ShouldBe("ok");
            }
        })).Within();

        mesh.Breaker().ShouldHoldNothing();
        Stats(mesh).PendingOverflow.Value.ShouldBe(0);
    }

    [Fact]
    public async Task Of_three_callers_one_has_the_connection_one_waits_and_one_overflows()
    {
        await using var server = await HoldingServer.StartAsync();
        await using var mesh = Mesh(server, OneAndOne);
        for (var round = 0; round < 10; round++)
        {
            var calls = Enumerable.Range(0, 3).Select(_ => mesh.Client().GetAsync(Url)).ToList();
            using var refused = await (await Task.WhenAny(calls).Within());
            ((int)refused.StatusCode).ShouldBe(503);
            calls.Count(c => c.IsCompleted).ShouldBe(1);

            server.Release(2);
            var answers = await Task.WhenAll(calls).Within();
            answers.Count(a => a.StatusCode == HttpStatusCode.OK).ShouldBe(2);
            answers.Count(a => a.StatusCode == HttpStatusCode.ServiceUnavailable).ShouldBe(1);
        }

        mesh.Breaker().ShouldHoldNothing();
        Stats(mesh).PendingOverflow.Value.ShouldBe(10);
        server.Connections.ShouldBe(1);
    }

    [Fact]
    public async Task The_caller_of_an_overflow_sees_what_Envoy_would_say()
    {
        await using var server = await HoldingServer.StartAsync();
        await using var mesh = Mesh(server, new() { MaxRequests = 1 });
        var first = mesh.Client().GetAsync(Url);
        await server.Arrived.WaitAsync().Within();

        using var request = new HttpRequestMessage(HttpMethod.Get, Url);
        using var response = await mesh.Client().SendAsync(request).Within();
        ((int)response.StatusCode).ShouldBe(503);
        response.Headers.GetValues("x-envoy-overloaded").ShouldBe(["true"]);
        (await response.Content.ReadAsStringAsync()).ShouldBe("upstream connect error or disconnect/reset before headers. reset reason: overflow");
        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags).ShouldBeTrue();
        flags.ShouldBe("UO");
        request.Options.TryGetValue(MeshRequest.ResponseCodeDetails, out var details).ShouldBeTrue();
        details.ShouldBe("upstream_reset_before_response_started{overflow}");

        server.Release(1);
        (await first.Within()).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Requests_of_HTTP2_share_a_connection_and_are_limited_by_max_requests()
    {
        await using var server = await HoldingServer.StartAsync(HttpProtocols.Http2);
        await using var mesh = Mesh(server, new() { MaxConnections = 1, MaxPendingRequests = 1, MaxRequests = 4 }, http2: true);
        var calls = Enumerable.Range(0, 6).Select(_ => mesh.Client().GetAsync(Url)).ToArray();
        for (var i = 0; i < 4; i++)
        {
            await server.Arrived.WaitAsync().Within();
        }

        server.Release(4);
        var answers = await Task.WhenAll(calls).Within();
        answers.Count(a => a.StatusCode == HttpStatusCode.OK).ShouldBe(4);
        answers.Count(a => a.StatusCode == HttpStatusCode.ServiceUnavailable).ShouldBe(2);
        mesh.Breaker().ShouldHoldNothing();
    }

    [Fact]
    public async Task The_priorities_of_routes_have_limits_of_their_own()
    {
        await using var server = await HoldingServer.StartAsync();
        var high = new Route { Match = new RouteMatch { Prefix = "/high" }, Route_ = new RouteAction { Cluster = "httpbin:8000", Priority = Envoy.Config.Core.V3.RoutingPriority.High } };
        await using var mesh = Mesh(server, new() { MaxRequests = 1 });
        mesh.Xds.Set(RouteConfigurationType.Instance, DataPlane.Tests.Resources.Routes("httpbin:8000", high, DataPlane.Tests.Resources.Prefix("/", "httpbin:8000")));
        var first = mesh.Client().GetAsync(Url);
        await server.Arrived.WaitAsync().Within();

        (await mesh.Client().GetAsync(Url).Within()).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        var second = mesh.Client().GetAsync(Url + "high");
        await server.Arrived.WaitAsync().Within();
        mesh.Breaker(DataPlane.Routing.RoutingPriority.High).ActiveRequests.ShouldBe(1u);
        server.Release(2);
        await Task.WhenAll(first, second).Within();
    }

    [Fact]
    public async Task A_caller_who_gives_up_while_waiting_leaves_nothing_behind()
    {
        await using var server = await HoldingServer.StartAsync();
        await using var mesh = Mesh(server, OneAndOne);
        var first = mesh.Client().GetAsync(Url);
        await server.Arrived.WaitAsync().Within();
        using var cancellation = new CancellationTokenSource();
        var waiting = mesh.Client().GetAsync(Url, cancellation.Token);
        mesh.Breaker().PendingRequests.ShouldBe(1);
        await cancellation.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => waiting.Within());
        mesh.Breaker().PendingRequests.ShouldBe(0);

        server.Release(1);
        (await first.Within()).StatusCode.ShouldBe(HttpStatusCode.OK);
        mesh.Breaker().ShouldHoldNothing();
    }

    [Fact]
    public async Task Waiting_for_a_connection_counts_in_the_routes_timeout()
    {
        var time = new Testing.ManualTimeProvider();
        await using var server = await HoldingServer.StartAsync();
        var timed = DataPlane.Tests.Resources.Prefix("/timed", "httpbin:8000");
        timed.Route_.Timeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromSeconds(3));
        await using var mesh = Mesh(server, OneAndOne, time: time);
        mesh.Xds.Set(RouteConfigurationType.Instance, DataPlane.Tests.Resources.Routes("httpbin:8000", timed, DataPlane.Tests.Resources.Prefix("/", "httpbin:8000")));
        var first = mesh.Client().GetAsync(Url);
        await server.Arrived.WaitAsync().Within();
        var get = mesh.Client().GetAsync(Url + "timed");
        mesh.Breaker().PendingRequests.ShouldBe(1);
        time.Advance(TimeSpan.FromSeconds(3));
        (await get.Within()).StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);

        var post = mesh.Client().PostAsync(Url + "timed", new StringContent("body"));
        mesh.Breaker().PendingRequests.ShouldBe(1);
        time.Advance(TimeSpan.FromSeconds(3));
        (await post.Within()).StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);
        server.Release(1);
        (await first.Within()).StatusCode.ShouldBe(HttpStatusCode.OK);
        mesh.Breaker().ShouldHoldNothing();
    }

    [Fact]
    public async Task A_retry_beyond_max_retries_returns_the_failure_that_it_would_have_repeated()
    {
        var hits = 0;
        await using var server = await WebServer.StartAsync(context =>
        {
            Interlocked.Increment(ref hits);
            context.Response.StatusCode = 500;
            return context.Response.WriteAsync("broken");
        });
        var route = DataPlane.Tests.Resources.Prefix("/", "httpbin:8000");
        route.Route_.RetryPolicy = new RetryPolicy { RetryOn = "5xx", NumRetries = 2 };
        await using var mesh = Mesh(server, new() { MaxRetries = 0 });
        mesh.Xds.Set(RouteConfigurationType.Instance, DataPlane.Tests.Resources.Routes("httpbin:8000", route));

        using var request = new HttpRequestMessage(HttpMethod.Get, Url);
        using var response = await mesh.Client().SendAsync(request).Within();
        ((int)response.StatusCode).ShouldBe(500);
        (await response.Content.ReadAsStringAsync()).ShouldBe("broken");
        hits.ShouldBe(1);
        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var flags).ShouldBeTrue();
        flags.ShouldBe("UO");
        Stats(mesh).RetryOverflow.Value.ShouldBe(1);
        mesh.Breaker().ShouldHoldNothing();
    }

    [Fact]
    public async Task Retries_give_their_permits_back()
    {
        await using var server = await WebServer.StartAsync(context =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        });
        var route = DataPlane.Tests.Resources.Prefix("/", "httpbin:8000");
        route.Route_.RetryPolicy = new RetryPolicy { RetryOn = "5xx", NumRetries = 3, RetryBackOff = new() { BaseInterval = new() { Nanos = 1_000_000 } } };
        await using var mesh = Mesh(server, new() { MaxRetries = 1 });
        mesh.Xds.Set(RouteConfigurationType.Instance, DataPlane.Tests.Resources.Routes("httpbin:8000", route));
        for (var i = 0; i < 3; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Url);
            using var response = await mesh.Client().SendAsync(request).Within();
            ((int)response.StatusCode).ShouldBe(500);
            request.Options.TryGetValue(MeshRequest.Attempts, out var attempts).ShouldBeTrue();
            attempts.ShouldBe(4);
            mesh.Breaker().ShouldHoldNothing();
        }
    }

    private static ClientMesh Mesh(WebServer server, Thresholds thresholds, bool http2 = false, TimeProvider? time = null)
        => Mesh(server.Port, thresholds, http2, time);

    private static ClientMesh Mesh(HoldingServer server, Thresholds thresholds, bool http2 = false, TimeProvider? time = null)
        => Mesh(server.Port, thresholds, http2, time);

    private static ClientMesh Mesh(int port, Thresholds thresholds, bool http2, TimeProvider? time)
    {
        var cluster = DataPlane.Tests.Resources.Cluster("httpbin:8000").WithThresholds(thresholds);
        return ClientMesh.Create(time: time).Serve("httpbin:8000", port).Use(http2 ? ClientMesh.Http2(cluster) : cluster);
    }

    private static DataPlane.Clusters.ClusterStats Stats(ClientMesh mesh) => mesh.Engine.Clusters.All.Single().Cluster.Stats;
}
