using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Mesh.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Fixture = Mesh.DataPlane.Tests.Resources;

namespace Mesh.Client.Tests;

/// <summary>What is in force serves until its successor is known; what fails takes only its own routes along.</summary>
public class MakeBeforeBreakTests
{
    private const string Reviews = "reviews:9080";
    private const string Uri = "http://reviews:9080/";

    [Fact]
    public async Task A_route_to_an_unanswered_cluster_is_held_back_until_the_cluster_is_answered()
    {
        await using var v1 = await WebServer.StartAsync(context => context.Response.WriteAsync("v1"));
        await using var v2 = await WebServer.StartAsync(context => context.Response.WriteAsync("v2"));
        await using var mesh = ClientMesh.Create(time: new ManualTimeProvider()).Serve(Reviews, v1.Port);
        (await mesh.Client().GetStringAsync(Uri).Within()).ShouldBe("v1");

        RouteTo(mesh, "v2");
        mesh.Engine.Routes.HeldBack.ShouldBe(1);
        (await mesh.Client().GetStringAsync(Uri).Within()).ShouldBe("v1");
        mesh.SetCluster("v2");
        (await mesh.Client().GetStringAsync(Uri).Within()).ShouldBe("v1");
        mesh.SetEndpoints("v2", v2.Port);

        mesh.Engine.Routes.HeldBack.ShouldBe(0);
        (await mesh.Client().GetStringAsync(Uri).Within()).ShouldBe("v2");
        mesh.Engine.Clusters.All.Select(c => c.Cluster.Name).ShouldBe(["v2"]);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 2)]
    public async Task Connections_are_made_anew_when_hosts_come_or_go_where_the_cluster_asks_for_it(bool asked, int connections)
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("ok"));
        await using var mesh = ClientMesh.Create(time: new ManualTimeProvider()).Serve(Reviews, server.Port);
        var cluster = Fixture.Cluster(Reviews);
        cluster.CommonLbConfig = new() { CloseConnectionsOnHostSetChange = asked };
        mesh.Xds.Set(ClusterType.Instance, cluster);
        await mesh.Client().GetStringAsync(Uri).Within();

        // Another weight is no other set; a host that is down is another set that leads to the same host.
        var weighed = Fixture.Endpoints(Reviews, server.Port);
        weighed.Endpoints[0].LbEndpoints[0].LoadBalancingWeight = 5;
        mesh.Xds.Set(EndpointsType.Instance, weighed);
        await mesh.Client().GetStringAsync(Uri).Within();
        server.Connections.ShouldBe(1);
        var joined = Fixture.Endpoints(Reviews, server.Port);
        joined.Endpoints[0].LbEndpoints.Add(Fixture.Endpoint("127.0.0.1", 1, health: Envoy.Config.Core.V3.HealthStatus.Unhealthy));
        mesh.Xds.Set(EndpointsType.Instance, joined);
        await mesh.Client().GetStringAsync(Uri).Within();

        server.Connections.ShouldBe(connections);
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task A_route_is_held_back_for_the_fetch_timeout_at_most_and_then_fails_for_the_unanswered_cluster_only()
    {
        var time = new ManualTimeProvider();
        await using var v1 = await WebServer.StartAsync(context => context.Response.WriteAsync("v1"));
        await using var mesh = ClientMesh.Create(time: time).Serve(Reviews, v1.Port);
        (await mesh.Client().GetStringAsync(Uri).Within()).ShouldBe("v1");
        mesh.Xds.Set(RouteConfigurationType.Instance, Fixture.Routes(Reviews, Fixture.Prefix("/new", "nobody"), Fixture.Prefix("/", Reviews)));
        time.Advance(TimeSpan.FromSeconds(10));

        // A newer table does not put the moment off.
        mesh.Xds.Set(RouteConfigurationType.Instance, Fixture.Routes(Reviews, Fixture.Prefix("/newer", "nobody"), Fixture.Prefix("/", Reviews)));
        time.Advance(TimeSpan.FromSeconds(4));
        mesh.Engine.Routes.HeldBack.ShouldBe(1);
        time.Advance(TimeSpan.FromSeconds(1));

        mesh.Engine.Routes.HeldBack.ShouldBe(0);
        await ShouldReplyAsync(mesh, Uri + "newer", "NC");
        (await mesh.Client().GetStringAsync(Uri + "new").Within()).ShouldBe("v1");
    }

    [Theory]
    [InlineData(true, "UH")]
    [InlineData(false, "NC")]
    public async Task An_empty_or_absent_cluster_is_an_answer(bool exists, string flags)
    {
        await using var mesh = ClientMesh.Create(time: new ManualTimeProvider()).Serve(Reviews, 1);
        RouteTo(mesh, "v2");
        if (exists)
        {
            mesh.SetCluster("v2");
            mesh.Xds.Remove(EndpointsType.Instance, "v2");
        }
        else
        {
            mesh.Xds.Remove(ClusterType.Instance, "v2");
        }

        mesh.Engine.Routes.HeldBack.ShouldBe(0);
        await ShouldReplyAsync(mesh, Uri, flags);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_request_fails_and_no_response_mixes_versions_while_routes_flip(bool http2)
    {
        await using var v1 = await WebServer.StartAsync(EchoAsync("v1"), http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        await using var v2 = await WebServer.StartAsync(EchoAsync("v2"), http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        await using var mesh = ClientMesh.Create().Serve(Reviews, v1.Port, http2);
        mesh.SetCluster("v1", http2).SetEndpoints("v1", v1.Port).SetCluster("v2", http2).SetEndpoints("v2", v2.Port);

        await UnderLoadAsync(mesh, 2000, flip => RouteTo(mesh, flip % 2 == 0 ? "v2" : "v1"));
    }

    [Theory]
    [InlineData("endpoint")]
    [InlineData("service name")]
    [InlineData("protocol")]
    [InlineData("route name")]
    [InlineData("inline routes")]
    public async Task No_request_fails_while_the_way_changes(string what)
    {
        await using var http1 = await WebServer.StartAsync(EchoAsync("1"));
        await using var other = await WebServer.StartAsync(EchoAsync("2"));
        await using var both = await WebServer.StartAsync(EchoAsync("both"), HttpProtocols.Http2);
        await using var mesh = ClientMesh.Create().Serve(Reviews, http1.Port);
        mesh.SetEndpoints("s1", http1.Port).SetEndpoints("s2", other.Port).SetEndpoints("h1", http1.Port).SetEndpoints("h2", both.Port);
        foreach (var routes in new[] { "r1", "r2" })
        {
            mesh.Xds.Set(RouteConfigurationType.Instance, Fixture.Routes(routes, Fixture.Prefix("/", Reviews)));
        }

        await UnderLoadAsync(mesh, 2000, flip =>
        {
            var odd = flip % 2 == 1;
            switch (what)
            {
                case "endpoint":
                    mesh.SetEndpoints(Reviews, odd ? http1.Port : other.Port);
                    break;
                case "service name":
                case "protocol":
                    var cluster = Fixture.Cluster(Reviews);
                    cluster.EdsClusterConfig.ServiceName = (what, odd) switch
                    {
                        ("service name", true) => "s1",
                        ("service name", false) => "s2",
                        (_, true) => "h1",
                        _ => "h2",
                    };
                    mesh.Xds.Set(ClusterType.Instance, what == "protocol" && !odd ? ClientMesh.Http2(cluster) : cluster);
                    break;
                case "route name":
                    mesh.Xds.Set(ListenerType.Instance, Fixture.Listener(Reviews, odd ? "r1" : "r2"));
                    break;
                default:
                    var listener = Fixture.Listener(Reviews, Reviews);
                    if (!odd)
                    {
                        var manager = listener.ApiListener.ApiListener_.Unpack<Envoy.Extensions.Filters.Network.HttpConnectionManager.V3.HttpConnectionManager>();
                        manager.RouteConfig = Fixture.Routes("inline", Fixture.Prefix("/", Reviews));
                        listener.ApiListener.ApiListener_ = Google.Protobuf.WellKnownTypes.Any.Pack(manager);
                    }

                    mesh.Xds.Set(ListenerType.Instance, listener);
                    break;
            }
        });
    }

    [Fact]
    public async Task A_replaced_endpoint_keeps_its_connection_until_its_last_response_has_ended()
    {
        var closed = new TaskCompletionSource();
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
            await connection.ReadAsync(0);
            await connection.WriteAsync("half b");
            await connection.WaitForEndAsync();
            closed.SetResult();
        });
        await using var other = await WebServer.StartAsync(EchoAsync("other"));
        await using var mesh = ClientMesh.Create().Serve(Reviews, server.Port);
        using var response = await mesh.Client().GetAsync(Uri, HttpCompletionOption.ResponseHeadersRead).Within();
        var old = mesh.Endpoints.Single();

        mesh.SetEndpoints(Reviews, other.Port);
        (await mesh.Client().GetStringAsync(Uri).Within()).ShouldBe("other:");
        old.ActiveRequests.ShouldBe(1);
        old.TryAcquire().ShouldBeFalse();
        closed.Task.IsCompleted.ShouldBeFalse();

        (await response.Content.ReadAsStringAsync().Within()).ShouldBe("halfhalf b");
        old.ActiveRequests.ShouldBe(0);
        await closed.Task.Within();
    }

    [Fact]
    public async Task A_cluster_that_is_removed_under_load_fails_with_NC_and_lets_responses_end()
    {
        await using var server = await WebServer.StartAsync(EchoAsync("v1"));
        await using var mesh = ClientMesh.Create().Serve(Reviews, server.Port);
        using var response = await mesh.Client().GetAsync(Uri, HttpCompletionOption.ResponseHeadersRead).Within();

        mesh.Xds.Remove(ClusterType.Instance, Reviews);
        await ShouldReplyAsync(mesh, Uri, "NC");
        (await response.Content.ReadAsStringAsync().Within()).ShouldBe("v1:");

        mesh.SetCluster(Reviews);
        (await mesh.Client().GetStringAsync(Uri).Within()).ShouldBe("v1:");
    }

    [Fact]
    public async Task Requests_meet_evictions_without_a_failure()
    {
        var time = new ManualTimeProvider();
        await using var server = await WebServer.StartAsync(EchoAsync("v1"));
        await using var mesh = ClientMesh.Create(options: o => o.Client.MaxOnDemandHosts = 2, time: time);
        foreach (var host in new[] { "a:80", "b:80", "c:80", "d:80" })
        {
            mesh.Serve(host, server.Port);
        }

        var failures = new ConcurrentBag<string>();
        await Parallel.ForAsync(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            using var response = await mesh.Client().GetAsync($"http://{"abcd"[i % 4]}/").Within();
            if (response.StatusCode != HttpStatusCode.OK)
            {
                failures.Add($"{i}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
            }
        });

        failures.ShouldBeEmpty();
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Engine.Hosts.All.Count().ShouldBe(2);
        mesh.Engine.Clusters.All.Count.ShouldBe(2);
    }

    private static RequestDelegate EchoAsync(string name)
        => async context =>
        {
            var body = await new StreamReader(context.Request.Body).ReadToEndAsync();
            await context.Response.WriteAsync($"{name}:{body}");
        };

    private static void RouteTo(ClientMesh mesh, string cluster)
        => mesh.Xds.Set(RouteConfigurationType.Instance, Fixture.Routes(Reviews, Fixture.Prefix("/", cluster)));

    private static async Task ShouldReplyAsync(ClientMesh mesh, string uri, string flags)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, uri);
        using var response = await mesh.Client().SendAsync(request).Within();
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        request.Options.TryGetValue(MeshRequest.ResponseFlags, out var actual).ShouldBeTrue();
        actual.ShouldBe(flags);
    }

    // Half of the requests are POSTs with a body; the configuration flips after every forty.
    private static async Task UnderLoadAsync(ClientMesh mesh, int count, Action<int> flip)
    {
        var failures = new ConcurrentBag<string>();
        var done = 0;
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            using var request = new HttpRequestMessage(i % 2 == 0 ? HttpMethod.Get : HttpMethod.Post, Uri);
            if (i % 2 == 1)
            {
                request.Content = new StringContent($"body {i}");
            }

            using var response = await mesh.Client().SendAsync(request).Within();
            var text = await response.Content.ReadAsStringAsync();
            if (response.StatusCode != HttpStatusCode.OK || !text.EndsWith(i % 2 == 1 ? $":body {i}" : ":", StringComparison.Ordinal))
            {
                failures.Add($"{i}: {(int)response.StatusCode} {text}");
            }

            var finished = Interlocked.Increment(ref done);
            if (finished % 40 == 0)
            {
                lock (failures)
                {
                    flip(finished / 40);
                }
            }
        });

        failures.ShouldBeEmpty();
        mesh.ActiveRequests.ShouldBe(0);
    }
}
