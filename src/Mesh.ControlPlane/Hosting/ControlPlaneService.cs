using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Security;
using Mesh.Xds.Serving;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Mesh.ControlPlane.Hosting;

/// <summary>Reads the documents before any port opens: the first client must not be told that nobody is there.</summary>
internal sealed partial class ControlPlaneService(IAdsServer server, DiscoveryServer discovery, SecurityFiles security, ILogger<ControlPlaneService> logger) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        _ = server;
        security.Check();
        Log.Started(logger, discovery.Model.Config.Services.Count(), discovery.Model.Endpoints.Values.Sum(endpoints => endpoints.Instances.Count));
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static partial class Log
    {
        [LoggerMessage(3131, LogLevel.Information, "The control plane knows {Services} services with {Endpoints} endpoints.")]
        public static partial void Started(ILogger logger, int services, int endpoints);
    }
}
