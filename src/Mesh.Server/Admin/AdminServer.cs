using System.Net;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Server.Admin;

/// <summary>
/// The admin on a port of its own (<c>Mesh:Admin:Port</c>), in plain text and beside the mesh's TLS and policies. It is there before the application
/// is, and after it has gone, and an application without a web server has it as well.
/// </summary>
internal sealed partial class AdminServer(AdminDoor door, IServiceProvider services, IOptions<MeshOptions> options, ILoggerFactory loggers)
    : IHostedLifecycleService, IAsyncDisposable
{
    /// <summary>The key of the node metadata that says where the admin is.</summary>
    private const string AdminKey = "MESH_ADMIN";

    private const int MaxConnections = 100;
    private const long MaxBody = 64 * 1024;

    private readonly ILogger _logger = loggers.CreateLogger<AdminServer>();
    private KestrelServer? _server;

    /// <summary>Where it listens; <see langword="null"/> when it does not.</summary>
    public IPEndPoint? EndPoint { get; private set; }

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        var settings = options.Value.Admin;
        if (settings.Port is not { } port)
        {
            return;
        }

        var kestrel = new KestrelServerOptions { AddServerHeader = false, ApplicationServices = services };
        kestrel.Limits.MaxConcurrentConnections = MaxConnections;
        kestrel.Limits.MaxRequestBodySize = MaxBody;
        var address = settings.Address == "*" ? IPAddress.IPv6Any : IPAddress.Parse(settings.Address);
        if (settings.Address == "*")
        {
            kestrel.ListenAnyIP(port, listen => listen.Protocols = HttpProtocols.Http1);
        }
        else
        {
            kestrel.Listen(address, port, listen => listen.Protocols = HttpProtocols.Http1);
        }

        var isOpen = !IPAddress.IsLoopback(address);
        var access = new AdminAccess(AnswersRemote: isOpen, IsAuthorized: false, HidesFromStrangers: false, [.. settings.AllowedHosts]);
        _server = new KestrelServer(Options.Create(kestrel), ActivatorUtilities.CreateInstance<SocketTransportFactory>(services), loggers);
        try
        {
            await _server.StartAsync(
                new Application(door, services.GetService<IHttpContextFactory>() ?? new DefaultHttpContextFactory(services), access), cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new IOException($"The admin cannot listen on {settings.Address}:{port} (Mesh:Admin:Port, Mesh:Admin:Address): {e.Message} Choose another port, or 0 for one that is free.", e);
        }

        EndPoint = new IPEndPoint(address, BoundPort(_server, port));
        Announce(EndPoint);
        if (isOpen)
        {
            Log.Open(_logger, EndPoint);
        }
        else
        {
            Log.Listening(_logger, EndPoint);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // Who wants to know what a process does while it leaves asks until the end.
    public Task StoppedAsync(CancellationToken cancellationToken) => _server?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public ValueTask DisposeAsync()
    {
        _server?.Dispose();
        return ValueTask.CompletedTask;
    }

    // Who asks the control plane where this process is learns where it can be asked itself.
    private void Announce(IPEndPoint endPoint)
    {
        var reachable = endPoint.Address.Equals(IPAddress.Any) || endPoint.Address.Equals(IPAddress.IPv6Any) ? ListeningAddresses.OfThisMachine() : endPoint.Address;
        services.GetRequiredService<MeshEngine>().Client.UpdateNode(
            node => (node.Metadata ??= new Struct()).Fields[AdminKey] = Value.ForString($"http://{new IPEndPoint(reachable, endPoint.Port)}"));
    }

    private static int BoundPort(KestrelServer server, int port)
        => server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() is { } address ? BindingAddress.Parse(address).Port : port;

    private sealed class Application(AdminDoor door, IHttpContextFactory contexts, AdminAccess access) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => contexts.Create(contextFeatures);

        public Task ProcessRequestAsync(HttpContext context) => door.AnswerAsync(context, root: "", context.Request.Path.Value ?? "/", access);

        public void DisposeContext(HttpContext context, Exception? exception) => contexts.Dispose(context);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "The mesh's admin is at http://{EndPoint}/, for callers on this machine.")]
        public static partial void Listening(ILogger logger, IPEndPoint endPoint);

        [LoggerMessage(2, LogLevel.Warning, "The mesh's admin is at http://{EndPoint}/ for everybody who can reach that address (Mesh:Admin:Address): configuration, endpoints and counters of this process can be read there without authorization.")]
        public static partial void Open(ILogger logger, IPEndPoint endPoint);
    }
}
