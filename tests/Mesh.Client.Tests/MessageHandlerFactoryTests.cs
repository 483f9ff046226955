using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using System.Threading.Channels;
using Mesh.Client.Tests.DefaultProxy;
using Mesh.Client.Tests.Servers;
using Mesh.DataPlane.Resources;
using Mesh.TestNet;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Client.Tests;

public class MessageHandlerFactoryTests
{
    [Fact]
    public async Task A_web_socket_follows_the_rules_by_the_invoker_and_gives_its_permit_back()
    {
        await using var echo = await WebServer.StartAsync(EchoAsync);
        await using var shout = await WebServer.StartAsync(context => EchoAsync(context, text => text.ToUpperInvariant()));
        await using var mesh = ClientMesh.Create().Serve("chat:80", echo.Port);
        mesh.SetCluster("loud").SetEndpoints("loud", shout.Port);
        mesh.Xds.Set(
            RouteConfigurationType.Instance,
            DataPlane.Tests.Resources.Routes("chat:80", DataPlane.Tests.Resources.Prefix("/loud", "loud"), DataPlane.Tests.Resources.Prefix("/", "chat:80")));
        using var invoker = mesh.Services.GetRequiredService<IMeshHttpMessageHandlerFactory>().CreateInvoker();

        using var quiet = new ClientWebSocket();
        await quiet.ConnectAsync(new Uri("ws://chat/"), invoker, default).Within();
        using var loud = new ClientWebSocket();
        await loud.ConnectAsync(new Uri("ws://chat/loud"), invoker, default).Within();
        mesh.ActiveRequests.ShouldBe(2);

        (await SayAsync(quiet, "hello"u8.ToArray(), WebSocketMessageType.Text)).ShouldBe("hello"u8.ToArray());
        (await SayAsync(loud, "hello"u8.ToArray(), WebSocketMessageType.Text)).ShouldBe("HELLO"u8.ToArray());
        var bytes = Enumerable.Range(0, 70_000).Select(i => (byte)i).ToArray();
        (await SayAsync(quiet, bytes, WebSocketMessageType.Binary)).ShouldBe(bytes);

        foreach (var socket in new[] { quiet, loud })
        {
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", default).Within();
            socket.CloseStatus.ShouldBe(WebSocketCloseStatus.NormalClosure);
            socket.Dispose();
        }

        mesh.ActiveRequests.ShouldBe(0);
        mesh.Permits.ShouldBe(0);
    }

    [Fact]
    public async Task A_web_socket_over_TLS_goes_out_by_the_hosts_own_certificate()
    {
        await using var net = OutsideNet.Start();
        await net.AddHostAsync("chat.example.com", o => o.Answer = context => EchoAsync(context));
        await using var mesh = ClientMesh.Create();
        mesh.Xds.Remove(ListenerType.Instance, "chat.example.com:443");
        using var primary = net.CreateHandler();
        var handler = mesh.Services.GetRequiredService<MeshHttpMessageHandlerFactory>().CreateHandler(primary, LocalReplyMode.Response);
        using var invoker = new HttpMessageInvoker(handler);
        using var socket = new ClientWebSocket();

        await socket.ConnectAsync(new Uri("wss://chat.example.com/"), invoker, default).Within();

        (await SayAsync(socket, "hello"u8.ToArray(), WebSocketMessageType.Text)).ShouldBe("hello"u8.ToArray());
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default).Within();
    }

    [Fact]
    public async Task A_gRPC_channels_handler_streams_both_ways_with_trailers()
    {
        await using var server = await WebServer.StartAsync(
            async context =>
            {
                context.Response.ContentType = "application/grpc";
                context.Response.DeclareTrailer("grpc-status");
                await context.Response.Body.FlushAsync();
                while (await ReadMessageAsync(context.Request.Body) is { } message)
                {
                    await context.Response.Body.WriteAsync(Frame("re: " + message));
                    await context.Response.Body.FlushAsync();
                }

                context.Response.AppendTrailer("grpc-status", "0");
            },
            HttpProtocols.Http2);
        await using var mesh = ClientMesh.Create().Serve("greeter:50051", server.Port, http2: true);
        using var client = new HttpMessageInvoker(mesh.Services.GetRequiredService<IMeshHttpMessageHandlerFactory>().CreateHandler());
        var sending = Channel.CreateUnbounded<byte[]>();
        using var request = Call(new ScriptedContent(async stream =>
        {
            await stream.FlushAsync();
            await foreach (var message in sending.Reader.ReadAllAsync())
            {
                await stream.WriteAsync(message);
                await stream.FlushAsync();
            }
        }));

        using var response = await client.SendAsync(request, default).Within();
        await using var answers = await response.Content.ReadAsStreamAsync();
        foreach (var text in new[] { "one", "two", "three" })
        {
            await sending.Writer.WriteAsync(Frame(text));
            (await ReadMessageAsync(answers).Within()).ShouldBe("re: " + text);
        }

        sending.Writer.Complete();
        (await ReadMessageAsync(answers).Within()).ShouldBeNull();
        response.TrailingHeaders.GetValues("grpc-status").ShouldBe(["0"]);
        mesh.ActiveRequests.ShouldBe(0);
    }

    [Fact]
    public async Task A_gRPC_call_that_the_mesh_answers_itself_is_trailers_only()
    {
        await using var mesh = ClientMesh.Create().Serve("greeter:50051", 1, http2: true).SetEndpoints("greeter:50051");
        using var client = new HttpMessageInvoker(mesh.Services.GetRequiredService<IMeshHttpMessageHandlerFactory>().CreateHandler());
        using var request = Call(new ByteArrayContent(Frame("one")));

        using var response = await client.SendAsync(request, default).Within();

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Version.ShouldBe(HttpVersion.Version20);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/grpc");
        response.Headers.GetValues("grpc-status").ShouldBe(["14"]);
        (await response.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Disposing_one_handler_leaves_the_others()
    {
        await using var server = await WebServer.StartAsync(context => context.Response.WriteAsync("hello"));
        await using var mesh = ClientMesh.Create();
        var factory = mesh.Services.GetRequiredService<IMeshHttpMessageHandlerFactory>();
        using (var first = new HttpClient(factory.CreateHandler()))
        {
            (await first.GetStringAsync($"http://localhost:{server.Port}/").Within()).ShouldBe("hello");
        }

        using var second = new HttpClient(factory.CreateHandler());
        (await second.GetStringAsync($"http://localhost:{server.Port}/").Within()).ShouldBe("hello");
    }

    private static HttpRequestMessage Call(HttpContent content)
    {
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        return new HttpRequestMessage(HttpMethod.Post, "http://greeter:50051/demo.Greeter/Chat")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
            Headers = { TE = { new TransferCodingWithQualityHeaderValue("trailers") } },
        };
    }

    private static byte[] Frame(string text)
    {
        var message = Encoding.UTF8.GetBytes(text);
        var frame = new byte[5 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame, 5);
        return frame;
    }

    private static async Task<string?> ReadMessageAsync(Stream stream)
    {
        var prefix = new byte[5];
        if (await stream.ReadAtLeastAsync(prefix, 5, throwOnEndOfStream: false) == 0)
        {
            return null;
        }

        var message = new byte[BinaryPrimitives.ReadInt32BigEndian(prefix.AsSpan(1))];
        await stream.ReadExactlyAsync(message);
        return Encoding.UTF8.GetString(message);
    }

    private static Task EchoAsync(HttpContext context) => EchoAsync(context, text => text);

    private static async Task EchoAsync(HttpContext context, Func<string, string> change)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer, context.RequestAborted);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
                return;
            }

            var message = buffer[..received.Count];
            await socket.SendAsync(
                received.MessageType == WebSocketMessageType.Text ? Encoding.UTF8.GetBytes(change(Encoding.UTF8.GetString(message))) : message,
                received.MessageType,
                received.EndOfMessage,
                default);
        }
    }

    private static async Task<byte[]> SayAsync(ClientWebSocket socket, byte[] message, WebSocketMessageType type)
    {
        await socket.SendAsync(message, type, endOfMessage: true, default).Within();
        using var answer = new MemoryStream();
        var buffer = new byte[16 * 1024];
        WebSocketReceiveResult received;
        do
        {
            received = await socket.ReceiveAsync(new ArraySegment<byte>(buffer), default).Within();
            answer.Write(buffer, 0, received.Count);
        }
        while (!received.EndOfMessage);

        received.MessageType.ShouldBe(type);
        return answer.ToArray();
    }
}
