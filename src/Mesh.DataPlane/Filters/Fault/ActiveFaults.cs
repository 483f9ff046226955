namespace Mesh.DataPlane.Filters.Fault;

/// <summary>How many requests suffer a fault at this moment.</summary>
internal sealed class ActiveFaults
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public bool TryEnter(uint? max)
    {
        if (Interlocked.Increment(ref _count) <= (max ?? int.MaxValue))
        {
            return true;
        }

        Exit();
        return false;
    }

    public void Exit() => Interlocked.Decrement(ref _count);
}
