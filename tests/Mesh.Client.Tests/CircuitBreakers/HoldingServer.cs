using Mesh.Client.Tests.Servers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mesh.Client.Tests.CircuitBreakers;

/// <summary>A service that answers when the test lets it.</summary>
internal sealed class HoldingServer : IAsyncDisposable
{
    private readonly SemaphoreSlim _released = new(0);
    private WebServer _server = null!;

    /// <summary>One for each request that is there.</summary>
    public SemaphoreSlim Arrived { get; } = new(0);

    public int Port => _server.Port;

    public int Connections => _server.Connections;

    public static async Task<HoldingServer> StartAsync(HttpProtocols protocols = HttpProtocols.Http1)
    {
        var server = new HoldingServer();
        server._server = await WebServer.StartAsync(server.AnswerAsync, protocols);
        return server;
    }

    public void Release(int requests) => _released.Release(requests);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        Arrived.Release();
        await _released.WaitAsync(context.RequestAborted);
        await context.Response.WriteAsync("ok");
    }
}
