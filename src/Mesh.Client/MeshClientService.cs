using Mesh.Client.Bypass;
using Mesh.DataPlane;
using Mesh.DataPlane.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.Client;

/// <summary>Connects the engine when the application starts, and keeps "ready" back until the preloaded hosts are warm.</summary>
internal sealed partial class MeshClientService(MeshEngine engine, IOptions<MeshOptions> options, TimeProvider time, ILogger<MeshClientService> logger, IServiceProvider services)
    : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Value.Client.WatchBypass)
        {
            // Watches from when it is made until the container is disposed.
            engine.Bypassed = services.GetRequiredService<BypassWatcher>();
        }

        Log.Started(logger, engine.Client.Status.Server);
        var hosts = options.Value.Preload.Select(h => HostNames.TryParse(h, out var key) ? key : default).ToList();
        if (hosts.Count == 0)
        {
            return;
        }

        try
        {
            await engine.Hosts.PreloadAsync(hosts, cancellationToken).WaitAsync(options.Value.Xds.ResourceTimeout, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Log.PreloadTimedOut(logger, options.Value.Xds.ResourceTimeout, engine.Client.Status.Server, engine.Client.Status.LastError ?? "no answer");
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Outbound requests follow the mesh; its control plane is {Server}.")]
        public static partial void Started(ILogger logger, string server);

        [LoggerMessage(2, LogLevel.Warning, "The preloaded hosts are not warm after {Timeout}: {Server} says: {Error}. The application starts without them; the first request to each will wait.")]
        public static partial void PreloadTimedOut(ILogger logger, TimeSpan timeout, string server, string error);
    }
}
