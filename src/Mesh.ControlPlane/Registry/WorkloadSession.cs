namespace Mesh.ControlPlane.Registry;

/// <summary>One stream speaking for one workload.</summary>
internal sealed class WorkloadSession(ServiceRegistry registry, string workloadId) : IDisposable
{
    public string WorkloadId { get; } = workloadId;

    /// <summary>The workload said that it can, or can no longer, be called.</summary>
    /// <returns>Whether that changed anything.</returns>
    public bool ReportReady(bool ready) => registry.ReportReady(this, ready);

    /// <summary>The stream ended.</summary>
    public void Dispose() => registry.Disconnect(this);
}
