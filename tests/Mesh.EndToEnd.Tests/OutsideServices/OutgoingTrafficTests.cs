using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Mesh.EndToEnd.Tests.OutsideServices;

/// <summary>
/// A process of its own, because what it sends and by which proxy is the process's: what of it is meshed is meshed, and what is not is named.
/// </summary>
public sealed class OutgoingTrafficTests
{
    // What this test was built with is built already.
#if DEBUG
    private const string Configuration = "Debug";
#else
    private const string Configuration = "Release";
#endif

    [Fact]
    public async Task What_is_meshed_is_meshed_and_what_is_not_is_named()
    {
        await using var lab = new MeshLab();
        await using var world = await World.StartAsync(lab);

        var output = await world.SendAsync();

        output.ShouldContain("factory client: web of the mesh /factory\n");
        output.ShouldContain("web socket by invoker: hello\n");
        output.ShouldContain("connector: pong\n");
        output.ShouldContain("gRPC by handler: hello grpc-status 0\n");
        output.ShouldContain("new HttpClient: web beside it /new\n");
        output.ShouldContain("web socket: hello\n");
        output.ShouldContain("raw TCP driver: pong\n");

        // Without the mesh's proxy, a name of the mesh means nothing to it.
        output.ShouldContain("new HttpClient to a mesh host: failed: HttpRequestException");

        Named(output).ShouldBe(
            [$"127.0.0.1:{world.BesidePort}", $"localhost:{world.BesidePort}", $"localhost:{world.BesideTcpPort}"],
            ignoreOrder: true);
    }

    [Fact]
    public async Task With_the_meshs_default_proxy_clients_that_are_nobodys_follow_the_rules()
    {
        await using var lab = new MeshLab();
        await using var world = await World.StartAsync(lab);

        var output = await world.SendAsync("default-proxy");

        output.ShouldContain("new HttpClient to a mesh host: web of the mesh /new\n");
        output.ShouldContain("factory client: web of the mesh /factory\n");
        output.ShouldContain("gRPC by handler: hello grpc-status 0\n");
        output.ShouldContain("default proxy restored: True\n");

        // This machine is not the proxy's, so it is still named; the proxy itself is not.
        Named(output).ShouldBe(
            [$"127.0.0.1:{world.BesidePort}", $"localhost:{world.BesidePort}", $"localhost:{world.BesideTcpPort}"],
            ignoreOrder: true);
    }

    private static string[] Named(string output)
        => [.. output.Split('\n')
            .Where(line => line.Contains(" beside the mesh", StringComparison.Ordinal))
            .Select(line => line[(line.IndexOf("connects to ", StringComparison.Ordinal) + "connects to ".Length)..].Split(' ')[0])];

    /// <summary>What the process can reach: services of the mesh, and servers that are none.</summary>
    private sealed class World(MeshLab lab, WebApplication app, int besidePort, int besideTcpPort) : IAsyncDisposable
    {
        public int BesidePort { get; } = besidePort;

        public int BesideTcpPort { get; } = besideTcpPort;

        public static async Task<World> StartAsync(MeshLab lab)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(kestrel =>
            {
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Use(_ => PongAsync));
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Use(_ => PongAsync));
            });
            var app = builder.Build();
            app.UseWebSockets();
            int[] ports = [];
            app.Run(context => ServeAsync(context, context.Connection.LocalPort == ports[1] ? "beside it" : "of the mesh"));
            await app.StartAsync().OrHang();
            ports = [.. app.Urls.Select(url => new Uri(url).Port)];

            lab.Folder.Save("services.yaml", Entry("echo", 80, "http", "HTTP", ports[0]) + Entry("greeter", 80, "grpc", "GRPC", ports[2]) + Entry("database", 5432, "tcp", "TCP", ports[3]));
            await lab.StartControlPlaneAsync();
            return new World(lab, app, ports[1], ports[4]);
        }

        public Task<string> SendAsync(params string[] options)
            => DotnetCommand.RunAsync(
            [
                Path.Combine(DotnetCommand.Root, "tests", "apps", "OutgoingTraffic", "bin", Configuration, "net10.0", "OutgoingTraffic.dll"),
                lab.XdsAddress,
                BesidePort.ToString(CultureInfo.InvariantCulture),
                BesideTcpPort.ToString(CultureInfo.InvariantCulture),
                .. options,
            ]);

        public async ValueTask DisposeAsync() => await app.DisposeAsync().AsTask().OrHang();

        private static string Entry(string host, int port, string name, string protocol, int local)
            => $"""
                apiVersion: networking.istio.io/v1
                kind: ServiceEntry
                metadata:
                  name: {host}
                spec:
                  hosts: [{host}.default.svc.cluster.local]
                  location: MESH_INTERNAL
                  resolution: STATIC
                  ports:
                  - number: {port}
                    name: {name}
                    protocol: {protocol}
                    targetPort: {local}
                  endpoints:
                  - address: 127.0.0.1
                ---

                """;

        private static async Task PongAsync(ConnectionContext connection)
        {
            while (true)
            {
                var read = await connection.Transport.Input.ReadAsync();
                if (read.IsCompleted)
                {
                    return;
                }

                connection.Transport.Input.AdvanceTo(read.Buffer.End);
                await connection.Transport.Output.WriteAsync("pong"u8.ToArray());
            }
        }

        private static async Task ServeAsync(HttpContext context, string where)
        {
            if (context.Request.ContentType == "application/grpc")
            {
                context.Response.ContentType = "application/grpc";
                context.Response.DeclareTrailer("grpc-status");
                await context.Request.Body.CopyToAsync(context.Response.Body);
                context.Response.AppendTrailer("grpc-status", "0");
            }
            else if (context.WebSockets.IsWebSocketRequest)
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync();
                var buffer = new byte[100];
                var received = await socket.ReceiveAsync(buffer, default);
                await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, default);
                await socket.ReceiveAsync(buffer, default);
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
            }
            else
            {
                await context.Response.WriteAsync($"web {where} {context.Request.Path}");
            }
        }
    }
}
