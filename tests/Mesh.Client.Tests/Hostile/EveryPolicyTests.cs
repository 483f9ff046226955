using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.HeaderMutation.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.Client.Tests.CircuitBreakers;
using Mesh.Client.Tests.Routes;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Mesh.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Fixture = Mesh.DataPlane.Tests.Resources;
using Mutation = Envoy.Config.Common.MutationRules.V3.HeaderMutation;

namespace Mesh.Client.Tests.Hostile;

/// <summary>Conversations below retries, timeouts, circuit breakers, mirrors and filters at once.</summary>
public class EveryPolicyTests
{
    private const string Authority = "reviews:9080";

    private readonly ManualTimeProvider _time = new();

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_web_socket_is_retried_until_it_opens_and_outlives_the_routes_timeout(bool http2, bool hedged)
    {
        var hits = 0;
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                if (Interlocked.Increment(ref hits) == 1)
                {
                    context.Response.StatusCode = 503;
                    return;
                }

                using var accepted = await context.WebSockets.AcceptWebSocketAsync();
                var buffer = new byte[100];
                while (await accepted.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } received)
                {
                    await accepted.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, default);
                }

                await accepted.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
            },
            http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        await using var mesh = Mesh(server.Port, http2, hedged);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri("ws://reviews:9080/echo"), mesh.Invoker(), default).Within();
        hits.ShouldBe(2);
        var received = new byte[100];
        for (var i = 0; i < 3; i++)
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes($"hello {i}"), WebSocketMessageType.Text, true, default).Within();
            var message = await socket.ReceiveAsync(received, default).Within();
            Encoding.UTF8.GetString(received, 0, message.Count).ShouldBe($"hello {i}");
            _time.Advance(TimeSpan.FromSeconds(50));
        }

        mesh.ActiveRequests.ShouldBe(1);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default).Within();
        socket.Dispose();
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_web_socket_on_which_nothing_moves_ends_with_its_idle_time(bool http2)
    {
        var ended = new TaskCompletionSource();
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                using var accepted = await context.WebSockets.AcceptWebSocketAsync();
                await context.RequestAborted.Until();
                ended.TrySetResult();
            },
            http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        await using var mesh = Mesh(server.Port, http2, hedged: false);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri("ws://reviews:9080/echo"), mesh.Invoker(), default).Within();
        var receiving = socket.ReceiveAsync(new byte[10], default);

        _time.Advance(TimeSpan.FromSeconds(61));

        await Should.ThrowAsync<WebSocketException>(() => receiving.Within());
        await ended.Task.Within();
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_unary_gRPC_call_is_retried_and_keeps_frames_and_trailers(bool hedged)
    {
        var hits = 0;
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                context.Response.ContentType = "application/grpc";
                if (Interlocked.Increment(ref hits) < 3)
                {
                    context.Response.Headers["grpc-status"] = "14";
                    return;
                }

                await EchoAsync(context);
            },
            HttpProtocols.Http2);
        await using var mesh = Mesh(server.Port, http2: true, hedged);
        using var request = Grpc(new ByteArrayContent(Frame(1, 2, 3)));

        using var response = await mesh.Invoker().SendAsync(request, default).Within();

        (await response.Content.ReadAsByteArrayAsync().Within()).ShouldBe(Frame(1, 2, 3));
        response.TrailingHeaders.GetValues("grpc-status").ShouldBe(["0"]);
        response.Headers.GetValues("x-filtered").ShouldBe(["yes"]);
        request.Headers.NonValidated["te"].ToString().ShouldBe("trailers");
        hits.ShouldBe(3);
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_duplex_gRPC_call_goes_back_and_forth_message_by_message(bool hedged)
    {
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                context.Response.ContentType = "application/grpc";
                await context.Response.Body.FlushAsync();
                await EchoAsync(context);
            },
            HttpProtocols.Http2);
        await using var mesh = Mesh(server.Port, http2: true, hedged);
        var opened = new TaskCompletionSource<Stream>(TaskCreationOptions.RunContinuationsAsynchronously);
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var request = Grpc(new ScriptedContent(async stream =>
        {
            await stream.FlushAsync();
            opened.SetResult(stream);
            await closed.Task;
        }));
        using var response = await mesh.Invoker().SendAsync(request, default).Within();
        var up = await opened.Task.Within();
        var down = await response.Content.ReadAsStreamAsync();
        for (byte i = 0; i < 10; i++)
        {
            await up.WriteAsync(Frame(i, i));
            await up.FlushAsync();
            var frame = new byte[7];
            await down.ReadExactlyAsync(frame).AsTask().Within();
            frame.ShouldBe(Frame(i, i));
            _time.Advance(TimeSpan.FromSeconds(50));
        }

        closed.SetResult();
        (await down.ReadAsync(new byte[1]).AsTask().Within()).ShouldBe(0);
        response.TrailingHeaders.GetValues("grpc-status").ShouldBe(["0"]);
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [Fact]
    public async Task Trailers_alone_that_come_while_a_duplex_call_is_still_sending_are_the_callers()
    {
        var hits = 0;
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                Interlocked.Increment(ref hits);
                await context.Request.Body.ReadExactlyAsync(new byte[1]);
                context.Response.ContentType = "application/grpc";
                context.Response.Headers["grpc-status"] = "14";
            },
            HttpProtocols.Http2);
        await using var mesh = Mesh(server.Port, http2: true, hedged: false);
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var request = Grpc(new ScriptedContent(async stream =>
        {
            await stream.WriteAsync(Frame(1));
            await stream.FlushAsync();
            await closed.Task;
        }));

        using var response = await mesh.Invoker().SendAsync(request, default).Within();

        response.Headers.GetValues("grpc-status").ShouldBe(["14"]);
        (await response.Content.ReadAsByteArrayAsync().Within()).ShouldBeEmpty();
        hits.ShouldBe(1);
        closed.SetResult();
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [Theory]
    [InlineData(417, false)]
    [InlineData(503, false)]
    [InlineData(417, true)]
    [InlineData(100, false)]
    [InlineData(100, true)]
    public async Task A_body_that_waits_for_100_Continue_is_sent_once_wanted_and_only_then(int answer, bool scripted)
    {
        var hits = 0;
        using var server = new RawServer(async connection =>
        {
            while (await connection.ReadHeadAsync() is { } head)
            {
                if (Interlocked.Increment(ref hits) == 1 && answer != 100)
                {
                    // Without a reset, whatever comes after the head.
                    await connection.WriteAsync($"HTTP/1.1 {answer} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                    await connection.WaitForEndAsync();
                    return;
                }

                await connection.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n");
                await connection.ReadAsync(2000);
                await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
        });
        await using var mesh = Mesh(server.Port, http2: false, hedged: false);
        var writes = 0;
        var began = TimeProvider.System.GetTimestamp();
        var wrote = TimeSpan.MaxValue;

        // The framework sends up to a kilobyte all the same, to keep the connection.
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/")
        {
            Content = scripted
                ? new ScriptedContent(async stream =>
                {
                    writes++;
                    wrote = TimeProvider.System.GetElapsedTime(began);
                    await stream.WriteAsync(new byte[2000]);
                })
                { Headers = { ContentLength = 2000 } }
                : new ByteArrayContent(new byte[2000]),
        };
        request.Headers.ExpectContinue = true;

        using var response = await mesh.Invoker().SendAsync(request, default).Within();

        ((int)response.StatusCode).ShouldBe(answer == 417 ? 417 : 200);
        request.Headers.ExpectContinue.ShouldBe(true);
        hits.ShouldBe(answer == 503 ? 2 : 1);
        if (scripted && answer == 100)
        {
            writes.ShouldBe(1);
        }
        else
        {
            // The framework waits for a second, and this machine may take longer to answer.
            wrote.ShouldBeGreaterThan(TimeSpan.FromSeconds(0.9));
        }

        response.Dispose();
        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [Fact]
    public async Task Requests_without_fault_of_their_own_succeed_when_all_hosts_are_ejected()
    {
        await using var server = await WebServer.StartAsync(context =>
        {
            context.Response.StatusCode = context.Request.Path == "/fail" ? 500 : 200;
            return Task.CompletedTask;
        });
        await using var mesh = ClientMesh.Create(time: _time).ServeWith(_ => { }, http2: false, server.Port);
        var cluster = Fixture.Cluster(Authority);
        cluster.OutlierDetection = new Envoy.Config.Cluster.V3.OutlierDetection { Consecutive5Xx = 2, MaxEjectionPercent = 100 };

        // The clock jumps while others are connecting.
        cluster.ConnectTimeout = Duration.FromTimeSpan(TimeSpan.FromDays(1));
        mesh.Use(cluster).SetEndpoints(Authority, server.Port, server.Port);
        var failed = 0;
        await Parallel.ForAsync(0, 1500, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            using var response = await mesh.Client().GetAsync(i % 3 < 2 ? "http://reviews:9080/fail" : "http://reviews:9080/").Within();
            if (response.StatusCode != (i % 3 < 2 ? HttpStatusCode.InternalServerError : HttpStatusCode.OK))
            {
                Interlocked.Increment(ref failed);
            }

            if (i % 100 == 0)
            {
                _time.Advance(TimeSpan.FromSeconds(20));
            }
        });

        failed.ShouldBe(0);
        mesh.ActiveRequests.ShouldBe(0);
    }

    private static async Task EchoAsync(HttpContext context)
    {
        var header = new byte[5];
        while (await context.Request.Body.ReadAtLeastAsync(header, 5, throwOnEndOfStream: false) == 5)
        {
            var message = new byte[BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(1))];
            await context.Request.Body.ReadExactlyAsync(message);
            await context.Response.Body.WriteAsync((byte[])[.. header, .. message]);
            await context.Response.Body.FlushAsync();
        }

        context.Response.AppendTrailer("grpc-status", "0");
    }

    private static byte[] Frame(params byte[] message) => [0, 0, 0, 0, (byte)message.Length, .. message];

    private static HttpRequestMessage Grpc(HttpContent content)
    {
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        return new HttpRequestMessage(HttpMethod.Post, "http://reviews:9080/svc/Call")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
            Headers = { { "te", "trailers" } },
        };
    }

    private ClientMesh Mesh(int port, bool http2, bool hedged)
    {
        var mesh = ClientMesh.Create(services => services.AddSingleton(new DataPlane.Retry.BackOffTime(TimeProvider.System)), time: _time).ServeWith(
            r =>
            {
                r.Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(10));
                r.IdleTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(60));
                r.RetryPolicy = RouteRules.Retry("5xx,reset,unavailable", 3);
                r.RetryPolicy.PerTryTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(5));
                r.HedgePolicy = hedged ? new HedgePolicy { HedgeOnPerTryTimeout = true } : null;
                r.PrefixRewrite = "/";
            },
            http2,
            port);
        var listener = Fixture.Listener(Authority, Authority);
        var manager = listener.ApiListener.ApiListener_.Unpack<HttpConnectionManager>();
        var filter = new HeaderMutation
        {
            Mutations = new Mutations
            {
                RequestMutations = { new Mutation { Append = RoutedMesh.Header("x-mine", "filtered") } },
                ResponseMutations = { new Mutation { Append = RoutedMesh.Header("x-filtered", "yes") } },
            },
        };
        manager.HttpFilters.Insert(0, new HttpFilter { Name = "envoy.filters.http.header_mutation", TypedConfig = Any.Pack(filter) });
        listener.ApiListener.ApiListener_ = Any.Pack(manager);
        mesh.Xds.Set(mesh.Engine.Filters.Listeners, listener);
        var cluster = Fixture.Cluster(Authority).WithThresholds(new() { MaxConnections = 2, MaxRequests = 2, MaxPendingRequests = 1, MaxRetries = 1 });
        return mesh.Use(http2 ? ClientMesh.Http2(cluster) : cluster);
    }
}
