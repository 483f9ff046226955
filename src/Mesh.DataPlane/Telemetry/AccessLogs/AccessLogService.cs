using Microsoft.Extensions.Hosting;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Writes the last entries when the last requests are over: after all others have stopped.</summary>
internal sealed class AccessLogService(MeshAccessLogs logs) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => logs.FlushAtEndAsync(cancellationToken);
}
