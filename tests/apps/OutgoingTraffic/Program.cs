using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Mesh;
using Mesh.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

// A process that sends in every way there is, as one that knows of the mesh and as one that does not, and says what became of each:
// <xds server> <port of a web server beside the mesh> <port of a TCP server beside the mesh> [default-proxy].
var beside = int.Parse(args[1], CultureInfo.InvariantCulture);
var database = int.Parse(args[2], CultureInfo.InvariantCulture);
var before = HttpClient.DefaultProxy;
var builder = Host.CreateApplicationBuilder();
builder.Logging.ClearProviders().AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Warning).AddFilter("Mesh", LogLevel.Information);
builder.Services.AddMeshClient(mesh =>
{
    mesh.Xds.Server = args[0];
    mesh.Client.DefaultProxy = args.Contains("default-proxy");
});
using var host = builder.Build();
await host.StartAsync();
var handlers = host.Services.GetRequiredService<IMeshHttpMessageHandlerFactory>();
using var shared = new HttpClient();

// 1. By what the mesh offers.
await TellAsync("factory client", async () => await host.Services.GetRequiredService<IHttpClientFactory>().CreateClient().GetStringAsync("http://echo/factory"));
await TellAsync("web socket by invoker", async () =>
{
    using var socket = new ClientWebSocket();
    using var invoker = handlers.CreateInvoker();
    await socket.ConnectAsync(new Uri("ws://echo/ws"), invoker, default);
    return await SayAsync(socket);
});
await TellAsync("connector", async () =>
{
    await using var stream = await host.Services.GetRequiredService<IMeshConnector>().ConnectAsync("database", 5432);
    return await AskAsync(stream);
});
await TellAsync("gRPC by handler", async () =>
{
    using var channel = new HttpMessageInvoker(handlers.CreateHandler());
    return await CallAsync(channel);
});

// 2. By what it does not know of. In this process names of the mesh are nobody's unless its proxy is the default one.
await TellAsync("new HttpClient to a mesh host", async () => await shared.GetStringAsync("http://echo/new"));
await TellAsync("new HttpClient", async () => await shared.GetStringAsync($"http://localhost:{beside}/new"));
await TellAsync("web socket", async () =>
{
    using var socket = new ClientWebSocket();
    await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{beside}/ws"), default);
    return await SayAsync(socket);
});
await TellAsync("raw TCP driver", async () =>
{
    using var driver = new TcpClient();
    await driver.ConnectAsync("localhost", database);
    return await AskAsync(driver.GetStream());
});

await host.StopAsync();
Console.WriteLine($"default proxy restored: {ReferenceEquals(HttpClient.DefaultProxy, before)}");

static async Task TellAsync(string what, Func<Task<string>> send)
{
    try
    {
        Console.WriteLine($"{what}: {await send().WaitAsync(TimeSpan.FromSeconds(60))}");
    }
    catch (Exception e)
    {
        Console.WriteLine($"{what}: failed: {e.GetType().Name} {e.Message}");
    }
}

static async Task<string> SayAsync(ClientWebSocket socket)
{
    await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, default);
    var buffer = new byte[100];
    var received = await socket.ReceiveAsync(buffer, default);
    await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
    return Encoding.UTF8.GetString(buffer, 0, received.Count);
}

static async Task<string> AskAsync(Stream stream)
{
    await stream.WriteAsync("ping"u8.ToArray());
    var answer = new byte[4];
    await stream.ReadExactlyAsync(answer);
    return Encoding.ASCII.GetString(answer);
}

static async Task<string> CallAsync(HttpMessageInvoker channel)
{
    var message = "hello"u8.ToArray();
    var frame = new byte[5 + message.Length];
    BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
    message.CopyTo(frame, 5);
    using var request = new HttpRequestMessage(HttpMethod.Post, "http://greeter/demo.Greeter/Echo")
    {
        Version = HttpVersion.Version20,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Content = new ByteArrayContent(frame) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
        Headers = { TE = { new TransferCodingWithQualityHeaderValue("trailers") } },
    };
    using var response = await channel.SendAsync(request, default);
    var answer = await response.Content.ReadAsByteArrayAsync();
    var status = response.TrailingHeaders.TryGetValues("grpc-status", out var trailer) || response.Headers.TryGetValues("grpc-status", out trailer) ? trailer.Single() : "?";
    return $"{Encoding.UTF8.GetString(answer.AsSpan(Math.Min(5, answer.Length)))} grpc-status {status}";
}
