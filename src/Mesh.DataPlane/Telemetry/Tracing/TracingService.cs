using Microsoft.Extensions.Hosting;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>Sends the last spans of a process that ends.</summary>
internal sealed class TracingService(MeshTracing tracing) : IHostedService
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(2);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // A collector that is not there must not hold up the process.
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Deadline);
        try
        {
            await tracing.FlushAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // What was not sent is lost.
        }
    }
}
