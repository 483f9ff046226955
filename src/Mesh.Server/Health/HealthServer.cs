using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Health;

/// <summary>
/// Answers probes on a port of its own (<c>Mesh:Health:Port</c>), in plain text and beside every policy: <c>GET</c> and <c>HEAD</c> of the probe paths go
/// through the application's own pipeline, and nothing else does.
/// </summary>
internal sealed partial class HealthServer(
    HealthPipeline pipeline, IServiceProvider services, IOptions<MeshOptions> options, ILoggerFactory loggers) : IHostedLifecycleService, IAsyncDisposable
{
    private readonly ILogger _logger = loggers.CreateLogger<HealthServer>();
    private KestrelServer? _server;

    /// <summary>Where it listens; <see langword="null"/> when it does not.</summary>
    public int? Port { get; private set; }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        var settings = options.Value.Health;
        if (settings.Port is not { } port || services.GetService<IServer>() is null)
        {
            return;
        }

        if (pipeline.Application is not { } application)
        {
            Log.NoPipeline(_logger, port);
            return;
        }

        var kestrel = new KestrelServerOptions { AddServerHeader = false };
        kestrel.ListenAnyIP(port, listen => listen.Protocols = HttpProtocols.Http1);
        kestrel.ApplicationServices = services;
        _server = new KestrelServer(
            Options.Create(kestrel), ActivatorUtilities.CreateInstance<SocketTransportFactory>(services), loggers);
        await _server.StartAsync(
            new Application(application, services.GetRequiredService<IHttpContextFactory>(), [.. settings.Paths.Count > 0 ? settings.Paths.AsEnumerable() : MeshHealthOptions.UsualPaths]),
            cancellationToken).ConfigureAwait(false);
        Port = BoundPort(_server, port);
        Log.Listening(_logger, Port.Value);
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // A workload that drains is still alive, and its probes are answered as long as anything is.
    public Task StoppedAsync(CancellationToken cancellationToken) => _server?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public ValueTask DisposeAsync()
    {
        _server?.Dispose();
        return ValueTask.CompletedTask;
    }

    private static int BoundPort(KestrelServer server, int port)
        => server.Features.Get<Microsoft.AspNetCore.Hosting.Server.Features.IServerAddressesFeature>()?.Addresses.FirstOrDefault() is { } address
            ? BindingAddress.Parse(address).Port
            : port;

    private sealed class Application(RequestDelegate application, IHttpContextFactory contexts, HashSet<string> paths) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => contexts.Create(contextFeatures);

        public Task ProcessRequestAsync(HttpContext context)
        {
            if ((HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)) && paths.Contains(context.Request.Path.Value ?? ""))
            {
                return application(context);
            }

            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        public void DisposeContext(HttpContext context, Exception? exception) => contexts.Dispose(context);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Health probes are answered on port {Port}, outside the mesh's TLS.")]
        public static partial void Listening(ILogger logger, int port);

        [LoggerMessage(2, LogLevel.Warning, "Health probes are not answered on port {Port}: there is no application to answer them.")]
        public static partial void NoPipeline(ILogger logger, int port);
    }
}
