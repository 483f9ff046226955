using System.Net;
using System.Net.Sockets;
using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Type.V3;
using Mesh.DataPlane.Transports;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Tests.HealthChecking;

/// <summary>Checks over real connections to small servers.</summary>
public class SocketHealthCheckTests
{
    [Fact]
    public async Task HTTP_asks_as_it_was_told()
    {
        var seen = new TaskCompletionSource<(string Line, string Host, string Agent, string Header, string Body)>();
        await using var app = await StartAsync(HttpProtocols.Http1, async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            seen.TrySetResult((
                $"{context.Request.Method} {context.Request.Path}{context.Request.QueryString} {context.Request.Protocol}",
                context.Request.Headers.Host.ToString(),
                context.Request.Headers.UserAgent.ToString(),
                context.Request.Headers["x-probe"].ToString(),
                await reader.ReadToEndAsync()));
            context.Response.StatusCode = 204;
            context.Response.Headers["x-envoy-upstream-healthchecked-cluster"] = "reviews";
        });
        using var cluster = Check(Port(app), c =>
        {
            c.HttpHealthCheck = new HealthCheck.Types.HttpHealthCheck
            {
                Path = "/health?deep=1",
                Host = "reviews.example",
                Method = RequestMethod.Post,
                Send = new HealthCheck.Types.Payload { Text = Convert.ToHexString("ping"u8) },
                RequestHeadersToAdd = { new HeaderValueOption { Header = new HeaderValue { Key = "x-probe", Value = "100%%" } } },
                RequestHeadersToRemove = { "user-agent" },
                ExpectedStatuses = { new Int64Range { Start = 200, End = 300 } },
                ServiceNameMatcher = new() { Prefix = "rev" },
            };
        });
        await cluster.WaitForAnswerAsync();
        cluster.Healthy.Length.ShouldBe(1);
        (await seen.Task).ShouldBe(("POST /health?deep=1 HTTP/1.1", "reviews.example", "", "100%", "ping"));
    }

    [Theory]
    [InlineData(200, "reviews", "it is UP now", true)]
    [InlineData(201, "reviews", "it is UP now", false)] // 200 alone is expected
    [InlineData(200, "ratings", "it is UP now", false)] // another service
    [InlineData(200, "reviews", "now UP it is", false)] // in another order
    public async Task HTTP_judges_status_name_and_body(int status, string name, string body, bool healthy)
    {
        await using var app = await StartAsync(HttpProtocols.Http2, context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers["x-envoy-upstream-healthchecked-cluster"] = name;
            return context.Response.WriteAsync(body);
        });
        using var cluster = Check(Port(app), c => c.HttpHealthCheck = new HealthCheck.Types.HttpHealthCheck
        {
            Path = "/",
            CodecClientType = CodecClientType.Http2,
            ServiceNameMatcher = new() { Exact = "reviews" },
            Receive = { Text("it"), Text("UP") },
        });
        await cluster.WaitForAnswerAsync();
        cluster.Healthy.Length.ShouldBe(healthy ? 1 : 0);
    }

    // SERVING is 1; the answer is a frame with the field status.
    [Theory]
    [InlineData(1, 0, true)]
    [InlineData(2, 0, false)]
    [InlineData(1, 14, false)]
    public async Task Grpc_health_is_SERVING_with_status_OK(byte status, int grpcStatus, bool healthy)
    {
        var seen = new TaskCompletionSource<(string Path, string Host, string Body)>();
        await using var app = await StartAsync(HttpProtocols.Http2, async context =>
        {
            var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            seen.TrySetResult((context.Request.Path, context.Request.Host.Value!, Convert.ToHexString(body.ToArray())));
            context.Response.ContentType = "application/grpc";
            context.Response.DeclareTrailer("grpc-status");
            await context.Response.Body.WriteAsync(new byte[] { 0, 0, 0, 0, 2, 8, status });
            context.Response.AppendTrailer("grpc-status", grpcStatus.ToString());
        });
        using var cluster = Check(Port(app), c => c.GrpcHealthCheck = new HealthCheck.Types.GrpcHealthCheck { ServiceName = "abc", Authority = "health.example" });
        await cluster.WaitForAnswerAsync();
        cluster.Healthy.Length.ShouldBe(healthy ? 1 : 0);
        (await seen.Task).ShouldBe(("/grpc.health.v1.Health/Check", "health.example", "00000000050A03616263"));
    }

    [Fact]
    public async Task What_is_no_gRPC_is_not_healthy()
    {
        await using var app = await StartAsync(HttpProtocols.Http2, context => context.Response.WriteAsync("hello"));
        using var cluster = Check(Port(app), c => c.GrpcHealthCheck = new());
        await cluster.WaitForAnswerAsync();
        cluster.Healthy.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("+PO", "NG\r\n", true)]
    [InlineData("-ERR", "\r\n", false)]
    public async Task TCP_sends_and_waits_for_the_blocks_in_order(string first, string second, bool healthy)
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        var asked = Task.Run(async () =>
        {
            using var socket = await server.AcceptSocketAsync();
            var buffer = new byte[64];
            var read = await socket.ReceiveAsync(buffer);
            await socket.SendAsync(Encoding.ASCII.GetBytes(first));
            await socket.SendAsync(Encoding.ASCII.GetBytes(second));
            if (healthy)
            {
                await socket.ReceiveAsync(new byte[1]); // until the check's end lets go of it
            }

            return Encoding.ASCII.GetString(buffer, 0, read);
        });
        using (var cluster = Check(((IPEndPoint)server.LocalEndpoint).Port, c => c.TcpHealthCheck = new HealthCheck.Types.TcpHealthCheck { Send = Text("PING\r\n"), Receive = { Text("+P"), Text("NG") } }))
        {
            await cluster.WaitForAnswerAsync();
            cluster.Healthy.Length.ShouldBe(healthy ? 1 : 0);
        }

        (await asked.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBe("PING\r\n");
    }

    [Fact]
    public async Task TCP_without_bytes_is_a_connection()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        using var open = Check(((IPEndPoint)server.LocalEndpoint).Port, c => c.TcpHealthCheck = new());
        await open.WaitForAnswerAsync();
        open.Healthy.Length.ShouldBe(1);

        // Bound and not listening: it refuses, and nobody else gets it.
        using var silent = new Socket(SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var closed = Check(((IPEndPoint)silent.LocalEndPoint!).Port, c => c.TcpHealthCheck = new());
        await closed.WaitForAnswerAsync();
        closed.Healthy.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_connection_that_is_not_reused_is_closed_after_the_check()
    {
        var connections = new HashSet<string>();
        var third = new TaskCompletionSource();
        await using var app = await StartAsync(HttpProtocols.Http1, context =>
        {
            lock (connections)
            {
                connections.Add(context.Connection.Id);
                if (connections.Count == 3)
                {
                    third.TrySetResult();
                }
            }

            return Task.CompletedTask;
        });
        using var cluster = Check(Port(app), c =>
        {
            c.HttpHealthCheck = new HealthCheck.Types.HttpHealthCheck { Path = "/" };
            (c.ReuseConnection, c.NoTrafficInterval) = (false, CheckedCluster.Seconds(0.02));
        });
        await third.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Another_port_may_answer_for_the_host()
    {
        await using var app = await StartAsync(HttpProtocols.Http1, context =>
        {
            context.Response.StatusCode = context.Request.Headers.Host == "own.example" ? 200 : 500;
            return Task.CompletedTask;
        });
        using var cluster = Check(1, c => c.HttpHealthCheck = new HealthCheck.Types.HttpHealthCheck { Path = "/", Host = "check.example" }, new() { PortValue = (uint)Port(app), Hostname = "own.example" });
        await cluster.WaitForAnswerAsync();
        cluster.Healthy.ShouldBe([1]);
    }

    private static CheckedCluster Check(int port, Action<HealthCheck> check, Envoy.Config.Endpoint.V3.Endpoint.Types.HealthCheckConfig? config = null)
    {
        var cluster = new CheckedCluster(
            c =>
            {
                c.Timeout = CheckedCluster.Seconds(20);
                check(c);
            },
            time: TimeProvider.System,
            transports: new SocketTransportFactory(TimeProvider.System));
        var endpoints = Resources.Endpoints("c", port);
        endpoints.Endpoints[0].LbEndpoints[0].Endpoint.HealthCheckConfig = config;
        cluster.SetHosts(endpoints);
        return cluster;
    }

    private static HealthCheck.Types.Payload Text(string text) => new() { Text = Convert.ToHexString(Encoding.ASCII.GetBytes(text)) };

    private static async Task<WebApplication> StartAsync(HttpProtocols protocols, RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.Protocols = protocols));
        var app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        return app;
    }

    private static int Port(WebApplication app) => new Uri(app.Urls.First()).Port;
}
