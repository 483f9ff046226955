using System.Net;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.CircuitBreakers;
using Mesh.Client.Tests.Servers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using EnvoyOptions = Envoy.Extensions.Upstreams.Http.V3.HttpProtocolOptions;
using HttpProtocolOptions = Envoy.Config.Core.V3.HttpProtocolOptions;

namespace Mesh.Client.Tests.Transports;

public class ConnectionSettingsTests
{
    private const string Url = "http://reviews:9080/";

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 12)]
    [InlineData(2, 6)]
    [InlineData(3, 4)]
    public async Task A_connection_closes_after_max_requests_per_connection(uint max, int connections)
    {
        await using var server = await WebServer.StartAsync(AnswerAsync);
        await using var mesh = Mesh(server.Port, new() { MaxRequestsPerConnection = max });
        var client = mesh.Client();
        for (var i = 0; i < 2; i++)
        {
            (await client.GetStringAsync(Url + "length").Within()).ShouldBe("with length");
            (await client.GetStringAsync(Url + "chunked").Within()).ShouldBe("in two chunks");
            using var head = await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, Url + "length")).Within();
            head.StatusCode.ShouldBe(HttpStatusCode.OK);
            (await client.GetAsync(Url + "empty").Within()).StatusCode.ShouldBe(HttpStatusCode.NoContent);
            using var post = await client.PostAsync(Url + "echo", new StringContent(new string('x', 100_000))).Within();
            (await post.Content.ReadAsStringAsync()).Length.ShouldBe(100_000);
            using var chunked = new HttpRequestMessage(HttpMethod.Post, Url + "echo") { Content = new StringContent("chunks"), Headers = { TransferEncodingChunked = true } };
            using var echoed = await client.SendAsync(chunked).Within();
            (await echoed.Content.ReadAsStringAsync()).ShouldBe("chunks");
        }

        server.Connections.ShouldBe(connections);
        var stats = mesh.Engine.Clusters.All.Single().Cluster.Stats;
        stats.Connections.Value.ShouldBe(connections);
        stats.MaxRequestsReached.Value.ShouldBe(max == 0 ? 0 : connections);
    }

    [Fact]
    public async Task The_older_field_of_the_cluster_counts_too()
    {
        await using var server = await WebServer.StartAsync(AnswerAsync);
        var cluster = DataPlane.Tests.Resources.Cluster("reviews:9080");
#pragma warning disable CS0612
        cluster.MaxRequestsPerConnection = 1;
#pragma warning restore CS0612
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port).Use(cluster);
        for (var i = 0; i < 3; i++)
        {
            await mesh.Client().GetStringAsync(Url + "length").Within();
        }

        server.Connections.ShouldBe(3);
    }

    [Fact]
    public async Task An_interim_response_is_not_counted()
    {
        using var server = new RawServer(async connection =>
        {
            while (await connection.ReadHeadAsync() is not null)
            {
                await connection.WriteAsync("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
            }
        });
        await using var mesh = Mesh(server.Port, new() { MaxRequestsPerConnection = 2 });
        for (var i = 0; i < 4; i++)
        {
            (await mesh.Client().GetStringAsync(Url).Within()).ShouldBe("ok");
        }

        server.Accepted.ShouldBe(2);
    }

    [Fact]
    public async Task The_server_sees_a_connection_end_as_soon_as_it_has_served_its_requests()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
            await connection.WaitForEndAsync();
            ended.SetResult();
        });
        await using var mesh = Mesh(server.Port, new() { MaxRequestsPerConnection = 1 });
        (await mesh.Client().GetStringAsync(Url).Within()).ShouldBe("ok");
        await ended.Task.Within();
    }

    [Fact]
    public async Task On_HTTP2_the_number_of_requests_is_not_limited_and_that_is_told()
    {
        await using var server = await WebServer.StartAsync(AnswerAsync, HttpProtocols.Http2);
        await using var mesh = Mesh(server.Port, new() { MaxRequestsPerConnection = 1 }, http2: true);
        for (var i = 0; i < 3; i++)
        {
            await mesh.Client().GetStringAsync(Url + "length").Within();
        }

        server.Connections.ShouldBe(1);
        mesh.Engine.Notes.All.Values.ShouldContain(n => n.Contains("max_requests_per_connection"));
    }

    [Theory]
    [InlineData(1u, 12)]
    [InlineData(4u, 3)]
    [InlineData(100u, 1)]
    public async Task A_connection_of_HTTP2_carries_no_more_than_max_concurrent_streams(uint limit, int connections)
    {
        await using var server = await HoldingServer.StartAsync(HttpProtocols.Http2);
        await using var mesh = Mesh(server.Port, new(), http2: true, limit);
        var client = mesh.Client();
        var responses = Enumerable.Range(0, 12).Select(_ => client.GetStringAsync(Url)).ToList();
        for (var i = 0; i < 12; i++)
        {
            (await server.Arrived.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBeTrue();
        }

        server.Connections.ShouldBeGreaterThanOrEqualTo(connections);
        server.Connections.ShouldBeLessThanOrEqualTo(limit == 100 ? 1 : 12);
        server.Release(12);
        (await Task.WhenAll(responses).Within()).ShouldAllBe(r => r == "ok");
    }

    [Fact]
    public async Task An_idle_connection_closes_after_the_idle_timeout()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var server = new RawServer(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
            await connection.WaitForEndAsync();
            ended.SetResult();
        });
        await using var mesh = Mesh(server.Port, new() { IdleTimeout = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(100)) });
        (await mesh.Client().GetStringAsync(Url).Within()).ShouldBe("ok");
        await ended.Task.Within();
    }

    [Fact]
    public async Task A_connection_takes_no_request_after_its_maximum_duration()
    {
        await using var server = await WebServer.StartAsync(AnswerAsync);
        await using var mesh = Mesh(server.Port, new() { MaxConnectionDuration = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(1)) });
        await mesh.Client().GetStringAsync(Url + "length").Within();
        var then = Environment.TickCount64;
        SpinWait.SpinUntil(() => Environment.TickCount64 > then + 20);
        await mesh.Client().GetStringAsync(Url + "length").Within();
        server.Connections.ShouldBe(2);
    }

    [Theory]
    [InlineData(4, 200)]
    [InlineData(3, 502)]
    public async Task A_response_with_too_many_headers_breaks_the_protocol(uint max, int status)
    {
        using var server = new RawServer(async connection =>
        {
            while (await connection.ReadHeadAsync() is not null)
            {
                await connection.WriteAsync("HTTP/1.1 200 OK\r\nx-a: 1\r\nx-a: 2\r\nx-b: 1\r\ncontent-length: 2\r\n\r\nok");
            }
        });
        await using var mesh = Mesh(server.Port, new() { MaxHeadersCount = max });
        ((int)(await mesh.Client().GetAsync(Url).Within()).StatusCode).ShouldBe(status);
        mesh.Permits.ShouldBe(0);
    }

    [Theory]
    [InlineData(3, 200)]
    [InlineData(1, 502)]
    public async Task A_response_with_too_large_headers_breaks_the_protocol(uint kilobytes, int status)
    {
        using var server = new RawServer(async connection =>
        {
            while (await connection.ReadHeadAsync() is not null)
            {
                await connection.WriteAsync($"HTTP/1.1 200 OK\r\nx-a: {new string('a', 2000)}\r\ncontent-length: 2\r\n\r\nok");
            }
        });
        await using var mesh = Mesh(server.Port, new() { MaxResponseHeadersKb = kilobytes });
        ((int)(await mesh.Client().GetAsync(Url).Within()).StatusCode).ShouldBe(status);
    }

    [Fact]
    public async Task Open_connections_are_counted_by_cluster()
    {
        await using var server = await HoldingServer.StartAsync();
        await using var mesh = Mesh(server.Port, new());
        var calls = Enumerable.Range(0, 3).Select(_ => mesh.Client().GetAsync(Url)).ToArray();
        for (var i = 0; i < 3; i++)
        {
            await server.Arrived.WaitAsync().Within();
        }

        var cluster = mesh.Engine.Clusters.All.Single().Cluster;
        (cluster.Stats.ActiveConnections.Value, cluster.Stats.Connections.Value).ShouldBe((3, 3));
        server.Release(3);
        await Task.WhenAll(calls).Within();
        await mesh.DisposeAsync();
        cluster.Stats.ActiveConnections.Value.ShouldBe(0);
    }

    private static async Task AnswerAsync(HttpContext context)
    {
        switch (context.Request.Path.Value)
        {
            case "/chunked":
                await context.Response.WriteAsync("in two ");
                await context.Response.Body.FlushAsync();
                await context.Response.WriteAsync("chunks");
                break;
            case "/empty":
                context.Response.StatusCode = 204;
                break;
            case "/echo":
                using (var body = new StreamReader(context.Request.Body))
                {
                    await context.Response.WriteAsync(await body.ReadToEndAsync());
                }

                break;
            default:
                context.Response.ContentLength = 11;
                await context.Response.WriteAsync("with length");
                break;
        }
    }

    private static ClientMesh Mesh(int port, HttpProtocolOptions common, bool http2 = false, uint? streams = null)
    {
        var cluster = DataPlane.Tests.Resources.Cluster("reviews:9080");
        var config = new EnvoyOptions.Types.ExplicitHttpConfig();
        if (http2)
        {
            config.Http2ProtocolOptions = new() { MaxConcurrentStreams = streams };
        }
        else
        {
            config.HttpProtocolOptions = new();
        }

        cluster.TypedExtensionProtocolOptions.Add(
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            Any.Pack(new EnvoyOptions { CommonHttpProtocolOptions = common, ExplicitHttpConfig = config }));
        return ClientMesh.Create().Serve("reviews:9080", port).Use(cluster);
    }
}
