using Mesh.ControlPlane.Registry;

namespace Mesh.Testing;

/// <summary>A workload of the mesh that is a handler. Disposing it takes it out of the mesh; the handler stays the test's.</summary>
public sealed class MeshTestEndpoint : IAsyncDisposable
{
    private readonly MeshTestHost _mesh;
    private readonly WorkloadSession _session;

    internal MeshTestEndpoint(MeshTestHost mesh, WorkloadSession session, string address)
    {
        _mesh = mesh;
        _session = session;
        Address = address;
    }

    /// <summary>The address that the mesh knows it by; invented, nobody listens there.</summary>
    public string Address { get; }

    /// <summary>
    /// Reports the workload ready for traffic or not, as a readiness probe does. Clients follow at the latest when
    /// <see cref="MeshTestHost.SettledAsync"/> completes.
    /// </summary>
    /// <param name="healthy">Whether it can be called.</param>
    public void SetHealthy(bool healthy)
    {
        _session.ReportReady(healthy);
        _mesh.Publish();
    }

    /// <summary>Takes the workload out of the mesh; completes when no client picks it any more. Requests under way end normally.</summary>
    public async ValueTask DisposeAsync()
    {
        _session.Dispose();
        await _mesh.WithdrawnAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{_session.WorkloadId} at {Address}";
}
