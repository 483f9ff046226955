namespace Mesh.DataPlane.HealthChecking;

/// <summary>Asks one host how it is. One check at a time.</summary>
internal abstract class HealthProbe : IDisposable
{
    /// <summary>One check. Exceptions mean that the network failed; the token, that the time is over.</summary>
    public abstract Task<HealthCheckOutcome> CheckAsync(CancellationToken cancellationToken);

    public abstract void Dispose();
}
