using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Mesh.Client.Bypass;
using Mesh.Client.Tests.Servers;
using Mesh.Xds.Client;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mesh.Client.Tests.Bypass;

/// <summary>Events are the process's: what other tests connect to meanwhile is seen too, so each test looks at its own server only.</summary>
public class BypassWatcherTests
{
    [Fact]
    public async Task A_client_that_is_not_the_factorys_is_named_once_and_counted()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("hello"));
        await using var mesh = await StartAsync();

        for (var i = 0; i < 3; i++)
        {
            using var client = new HttpClient();
            await client.GetStringAsync($"http://localhost:{server.Port}/").Within();
            await client.GetStringAsync($"http://localhost:{server.Port}/").Within();
        }

        Count(mesh, "localhost", server.Port).ShouldBe(3);
        Lines(mesh, $"localhost:{server.Port}").ShouldHaveSingleItem().ShouldContain("beside the mesh");
    }

    [Fact]
    public async Task Sockets_of_drivers_are_named_by_what_they_were_told_to_connect_to()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("hello"));
        await using var mesh = await StartAsync();

        await ByNameAsync(server.Port);
        Count(mesh, "localhost", server.Port).ShouldBe(1);

        using var byAddress = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await byAddress.ConnectAsync(IPAddress.Loopback, server.Port).WaitAsync(TimeSpan.FromSeconds(30));
        Count(mesh, "127.0.0.1", server.Port).ShouldBe(1);

        using var blocking = new Socket(SocketType.Stream, ProtocolType.Tcp);
        blocking.Connect(IPAddress.Loopback, server.Port);
        Count(mesh, "127.0.0.1", server.Port).ShouldBe(2);
        Count(mesh, "localhost", server.Port).ShouldBe(1);
    }

    [Fact]
    public async Task A_web_socket_without_the_meshs_handler_is_named()
    {
        await using var server = await WebServer.StartAsync(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
        });
        await using var mesh = await StartAsync();

        using var socket = new ClientWebSocket();
        try
        {
            await socket.ConnectAsync(new Uri($"ws://localhost:{server.Port}/"), default).Within();
        }
        catch (WebSocketException)
        {
            // The server need not speak it: the connection is what counts.
        }

        Count(mesh, "localhost", server.Port).ShouldBe(1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_goes_through_the_mesh_is_not_named(bool http2)
    {
        await using var server = await WebServer.StartAsync(
            context => context.Response.WriteAsync("hello"),
            http2 ? Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http2 : Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http1);
        await using var mesh = (await StartAsync()).Serve("reviews:9080", server.Port, http2);

        (await mesh.Client().GetStringAsync("http://reviews:9080/").Within()).ShouldBe("hello");

        CountAtPort(mesh, server.Port).ShouldBe(0);
    }

    [Fact]
    public async Task What_the_mesh_lets_through_is_not_beside_it()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("hello"));
        await using var mesh = await StartAsync();

        (await mesh.Client().GetStringAsync($"http://localhost:{server.Port}/").Within()).ShouldBe("hello");

        CountAtPort(mesh, server.Port).ShouldBe(0);
    }

    [Fact]
    public async Task What_was_not_reached_is_not_named()
    {
        await using var mesh = await StartAsync();
        using var closed = new Socket(SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)closed.LocalEndPoint!).Port;

        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await Should.ThrowAsync<SocketException>(() => socket.ConnectAsync(IPAddress.Loopback, port).WaitAsync(TimeSpan.FromSeconds(30)));
        using var datagrams = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await datagrams.ConnectAsync(IPAddress.Loopback, port).WaitAsync(TimeSpan.FromSeconds(30));

        CountAtPort(mesh, port).ShouldBe(0);
    }

    [Fact]
    public async Task Somebody_else_may_listen_as_well()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("hello"));
        using var tracing = new System.Diagnostics.ActivityListener
        {
            ShouldListenTo = source => source.Name.EndsWith("System.Net.Sockets", StringComparison.Ordinal),
            Sample = (ref System.Diagnostics.ActivityCreationOptions<System.Diagnostics.ActivityContext> _) => System.Diagnostics.ActivitySamplingResult.AllDataAndRecorded,
        };
        System.Diagnostics.ActivitySource.AddActivityListener(tracing);
        await using var mesh = (await StartAsync()).Serve("reviews:9080", server.Port);

        (await mesh.Client().GetStringAsync("http://reviews:9080/").Within()).ShouldBe("hello");
        CountAtPort(mesh, server.Port).ShouldBe(0);

        using var client = new HttpClient();
        await client.GetStringAsync($"http://localhost:{server.Port}/").Within();
        CountAtPort(mesh, server.Port).ShouldBe(1);
        mesh.Engine.Bypassed.ShouldNotBeNull().ByHost[$"localhost:{server.Port}"].ShouldBe(1);
    }

    [Fact]
    public async Task The_meshs_own_proxy_is_not_beside_it()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("hello"));
        await using var proxied = new DefaultProxy.ProxiedMesh();
        proxied.Mesh.Serve("reviews:9080", server.Port);
        await StartServicesAsync(proxied.Mesh);
        using var client = proxied.Client();

        (await client.GetStringAsync("http://reviews:9080/").Within()).ShouldBe("hello");

        CountAtPort(proxied.Mesh, proxied.Listener.LocalEndPoint.Port).ShouldBe(0);
        CountAtPort(proxied.Mesh, server.Port).ShouldBe(0);
    }

    [Fact]
    public async Task Only_so_many_hosts_are_told_apart()
    {
        await using var mesh = await StartAsync();
        var watcher = mesh.Services.GetRequiredService<BypassWatcher>();

        for (var i = 0; i < BypassWatcher.MaxHosts + 10; i++)
        {
            watcher.Count(new BypassedHost($"host{i}", 80));
        }

        watcher.Counts.Count.ShouldBeLessThanOrEqualTo(BypassWatcher.MaxHosts);
        watcher.Others.ShouldBeGreaterThanOrEqualTo(10);
        Lines(mesh, "more than 1000 hosts").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task It_can_be_switched_off()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("hello"));
        await using var mesh = ClientMesh.Create(options: o => o.Client.WatchBypass = false);
        await StartServicesAsync(mesh);

        using var client = new HttpClient();
        await client.GetStringAsync($"http://localhost:{server.Port}/").Within();

        Lines(mesh, "beside the mesh").ShouldBeEmpty();
    }

    // A method of its own: what was looked up in it is forgotten at its end.
    private static async Task ByNameAsync(int port)
    {
        using var byName = new TcpClient();
        await byName.ConnectAsync("localhost", port).WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static async Task<ClientMesh> StartAsync()
    {
        var mesh = ClientMesh.Create();
        await StartServicesAsync(mesh);
        return mesh;
    }

    private static async Task StartServicesAsync(ClientMesh mesh)
    {
        foreach (var service in mesh.Services.GetServices<IHostedService>())
        {
            await service.StartAsync(default);
        }
    }

    private static long Count(ClientMesh mesh, string name, int port)
        => mesh.Services.GetRequiredService<BypassWatcher>().Counts.GetValueOrDefault(new BypassedHost(name, port));

    private static long CountAtPort(ClientMesh mesh, int port)
        => mesh.Services.GetRequiredService<BypassWatcher>().Counts.Where(h => h.Key.Port == port).Sum(h => h.Value);

    private static IEnumerable<string> Lines(ClientMesh mesh, string text) => mesh.Logs.Lines.Where(l => l.Contains(text, StringComparison.Ordinal));
}
