using System.Net;
using System.Net.WebSockets;
using System.Text;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mesh.Client.Tests;

public class WebSocketTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_web_socket_goes_through_the_mesh(bool http2)
    {
        await using var server = await WebServer.StartAsync(EchoAsync, http2 ? HttpProtocols.Http2 : HttpProtocols.Http1);
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port, http2);
        using var socket = new ClientWebSocket();
        if (http2)
        {
            socket.Options.HttpVersion = HttpVersion.Version20;
            socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        }

        await socket.ConnectAsync(new Uri("ws://reviews:9080/echo"), mesh.Invoker(), default).Within();
        mesh.ActiveRequests.ShouldBe(1);
        (await EchoAsync(socket, "hello")).ShouldBe("hello");

        // A route that flips does not touch what is under way.
        var before = mesh.Endpoints.Single();
        mesh.SetCluster("other").SetEndpoints("other", 1);
        mesh.Xds.Set(RouteConfigurationType.Instance, DataPlane.Tests.Resources.Routes("reviews:9080", DataPlane.Tests.Resources.Prefix("/", "other")));
        (await EchoAsync(socket, "still there")).ShouldBe("still there");
        before.ActiveRequests.ShouldBe(1);

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default).Within();
        socket.Dispose();
        before.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task A_web_socket_that_may_fall_back_to_HTTP_1_1_does_when_the_cluster_speaks_that()
    {
        await using var server = await WebServer.StartAsync(EchoAsync);
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port);
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = HttpVersion.Version20;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionOrLower;

        await socket.ConnectAsync(new Uri("ws://reviews:9080/echo"), mesh.Invoker(), default).Within();

        (await EchoAsync(socket, "hello")).ShouldBe("hello");
        socket.Dispose();
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task A_web_socket_of_HTTP_1_1_reaches_an_HTTP_2_endpoint()
    {
        await using var server = await WebServer.StartAsync(EchoAsync, HttpProtocols.Http2);
        await using var mesh = ClientMesh.Create().Serve("reviews:9080", server.Port, http2: true);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri("ws://reviews:9080/echo"), mesh.Invoker(), default).Within();

        (await EchoAsync(socket, "hello")).ShouldBe("hello");
        mesh.ActiveRequests.ShouldBe(1);
        socket.Dispose();
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task A_web_socket_to_a_mesh_name_never_asks_DNS()
    {
        await using var mesh = ClientMesh.Create();
        mesh.Xds.Remove(ListenerType.Instance, "reviews.default.svc.cluster.local:80");
        using var socket = new ClientWebSocket();

        var failure = await Should.ThrowAsync<WebSocketException>(
            () => socket.ConnectAsync(new Uri("ws://reviews.default.svc.cluster.local/"), mesh.Invoker(), default).Within());

        failure.Message.ShouldContain("503");
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[100];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer, context.RequestAborted);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
                return;
            }

            await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, default);
        }
    }

    private static async Task<string> EchoAsync(ClientWebSocket socket, string text)
    {
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, default).Within();
        var buffer = new byte[100];
        var received = await socket.ReceiveAsync(buffer, default).Within();
        return Encoding.UTF8.GetString(buffer, 0, received.Count);
    }
}
