using Microsoft.Extensions.Hosting;

namespace Mesh.Client.Tcp;

/// <summary>Opens the listeners of this process when the application starts, and drains them when it stops.</summary>
internal sealed class TcpListenerService(MeshTcpListeners listeners) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        listeners.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => listeners.StopAsync(cancellationToken);
}
