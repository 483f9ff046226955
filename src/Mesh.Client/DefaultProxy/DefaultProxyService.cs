using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Client.DefaultProxy;

/// <summary>Makes the mesh the process's default proxy while the application runs, where the settings say so.</summary>
internal sealed partial class DefaultProxyService(
    MeshHttpMessageHandlerFactory handlers, IMeshConnector connector, IOptions<MeshOptions> options, TimeProvider time, ILogger<DefaultProxyService> logger)
    : IHostedService, IDisposable
{
    // Applications stop their own work before: what is left then is hardly worth waiting for.
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(5);

    private static readonly Lock Sync = new();

    private ProxyListener? _listener;
    private MeshProxy? _proxy;
    private SocketsHttpHandler? _primary;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (!options.Value.Client.DefaultProxy)
        {
            return Task.CompletedTask;
        }

        lock (Sync)
        {
            // Where no host is the mesh's, a request goes on as it would have without the mesh.
            var previous = HttpClient.DefaultProxy;
            _primary = new SocketsHttpHandler
            {
                ActivityHeadersPropagator = null,
                AllowAutoRedirect = false,
                AutomaticDecompression = DecompressionMethods.None,
                PooledConnectionLifetime = TimeSpan.FromMinutes(2),
                Proxy = previous,
                UseCookies = false,
            };
            var token = new ProxyToken();
            _listener = Listen(new ProxyServices
            {
                Token = token,
                Invoker = new HttpMessageInvoker(handlers.CreateHandler(_primary, LocalReplyMode.Response)),
                Connect = connector.ConnectAsync,
                Time = time,
                Logger = logger,
            });
            _listener.Start();
            _proxy = new MeshProxy(_listener.LocalEndPoint, token, previous, options.Value.ClusterDomain, logger);
            HttpClient.DefaultProxy = _proxy;
        }

        Log.Started(logger, _listener.LocalEndPoint);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        Restore();
        if (_listener is { } listener)
        {
            await listener.StopAsync(DrainTimeout, cancellationToken).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        Restore();
        _listener?.Dispose();
        _primary?.Dispose();
    }

    private static ProxyListener Listen(ProxyServices services)
    {
        try
        {
            return new ProxyListener(services);
        }
        catch (SocketException e)
        {
            throw new IOException($"Mesh:Client:DefaultProxy is true, but nothing can listen on loopback: {e.Message}. Set it to false; clients that are not the factory's are then not in the mesh.", e);
        }
    }

    // Whoever has set another one since wants that one.
    private void Restore()
    {
        lock (Sync)
        {
            if (_proxy is null)
            {
                return;
            }

            _proxy.Close();
            if (ReferenceEquals(HttpClient.DefaultProxy, _proxy))
            {
                HttpClient.DefaultProxy = _proxy.Previous;
            }

            _proxy = null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "The default proxy of this process's HTTP clients is the mesh, at {Address}. Clients that have sent before do not go by it.")]
        public static partial void Started(ILogger logger, IPEndPoint address);
    }
}
