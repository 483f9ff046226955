using System.Net;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Server.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mesh.Peers.Tests.Callers;

/// <summary>A gRPC service that answers with its own name, or as the test says.</summary>
internal sealed class EchoServer : IAsyncDisposable
{
    public const string Method = "/peers.Echo/Say";

    private readonly WebApplication _app;

    private EchoServer(WebApplication app)
    {
        _app = app;
    }

    public int Port => new Uri(_app.Urls.Single()).Port;

    public static Task<EchoServer> StartAsync(string name) => StartAsync((_, _) => Task.FromResult(name));

    public static async Task<EchoServer> StartAsync(Func<HttpContext, CancellationToken, Task<string>> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenMeshXds(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.MapGrpcUnary(Method, StringValue.Parser, async (_, context, cancellation) => new StringValue { Value = await answer(context, cancellation) });
        await app.StartAsync();
        return new EchoServer(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
