using Mesh.TestNet;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>A server that knows nothing of the mesh, on a port that nobody else gets when it has stopped. Every answer says which version gave it.</summary>
internal sealed class Pod : IAsyncDisposable
{
    public const string VersionHeader = "x-version";

    private readonly WebApplication _app;
    private RequestDelegate _answer;
    private int _served;
    private int _connections;

    private Pod(string name, string version, RequestDelegate? answer, HttpProtocols protocols)
    {
        Name = name;
        Version = version;
        _answer = answer ?? (context => context.Response.WriteAsync(name, context.RequestAborted));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, FreePort.Next(), listen =>
        {
            listen.Protocols = protocols;
            listen.Use(next => connection =>
            {
                Interlocked.Increment(ref _connections);
                return next(connection);
            });
        }));
        _app = builder.Build();
        _app.Run(ServeAsync);
    }

    public string Name { get; }

    public string Version { get; }

    public int Port => new Uri(_app.Urls.First()).Port;

    /// <summary>Requests that have come in.</summary>
    public int Served => Volatile.Read(ref _served);

    /// <summary>Connections that have been accepted.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>One for each request that has come in.</summary>
    public SemaphoreSlim Arrived { get; } = new(0);

    public static async Task<Pod> StartAsync(string name, string version, RequestDelegate? answer = null, HttpProtocols protocols = HttpProtocols.Http1)
    {
        var pod = new Pod(name, version, answer, protocols);
        await pod._app.StartAsync().OrHang();
        return pod;
    }

    /// <summary>From now on it answers so.</summary>
    public void Answer(RequestDelegate answer) => Volatile.Write(ref _answer, answer);

    /// <summary>From now on it answers with a status and nothing else.</summary>
    public void Answer(int status) => Answer(context =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    });

    /// <summary>Nobody listens at its port any more.</summary>
    public Task StopAsync() => _app.StopAsync().OrHang();

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Arrived.Dispose();
    }

    private Task ServeAsync(HttpContext context)
    {
        Interlocked.Increment(ref _served);
        context.Response.Headers[VersionHeader] = Version;
        Arrived.Release();
        return Volatile.Read(ref _answer)(context);
    }
}
