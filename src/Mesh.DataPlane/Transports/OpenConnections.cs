using Mesh.DataPlane.LoadReporting;

namespace Mesh.DataPlane.Transports;

/// <summary>The open connections to one endpoint.</summary>
internal sealed class OpenConnections
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public bool Any => Count > 0;

    /// <summary>Where they are counted for reports of load.</summary>
    public EndpointLoad Load { get; init; } = EndpointLoad.Unreported;

    public void Increment()
    {
        Interlocked.Increment(ref _count);
        Load.Count(LoadCount.Connections);
    }

    public void Decrement()
    {
        Interlocked.Decrement(ref _count);
        Load.Count(LoadCount.ConnectionsClosed);
    }
}
