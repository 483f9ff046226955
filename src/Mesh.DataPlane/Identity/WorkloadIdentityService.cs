using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Mesh.DataPlane.Identity;

/// <summary>Begins with the identity before anything else of the application starts, and waits for the first certificate for a while.</summary>
internal sealed partial class WorkloadIdentityService(MeshEngine engine, IOptions<MeshOptions> options, TimeProvider time, ILogger<WorkloadIdentity> logger) : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        if (engine.Identity is not WorkloadIdentity identity)
        {
            return;
        }

        identity.Start();
        var timeout = options.Value.Identity.StartupTimeout;
        if (timeout <= TimeSpan.Zero)
        {
            return;
        }

        try
        {
            await identity.Settled.WaitAsync(timeout, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Log.NotYet(logger, timeout, identity.Status.Source, identity.Status.LastError ?? "no answer");
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static partial class Log
    {
        [LoggerMessage(8, LogLevel.Warning, "No certificate after {Timeout} from {Source}: {Error}. The application starts without one; it is still asked for, and until it comes mutual TLS is refused.")]
        public static partial void NotYet(ILogger logger, TimeSpan timeout, string source, string error);
    }
}
