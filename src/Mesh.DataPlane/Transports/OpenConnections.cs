namespace Mesh.DataPlane.Transports;

/// <summary>The open connections to one endpoint.</summary>
internal sealed class OpenConnections
{
    private int _count;

    public bool Any => Volatile.Read(ref _count) > 0;

    public void Increment() => Interlocked.Increment(ref _count);

    public void Decrement() => Interlocked.Decrement(ref _count);
}
