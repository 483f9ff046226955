namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>How often something was decided.</summary>
internal sealed class RbacCounter
{
    private long _value;

    public long Value => Volatile.Read(ref _value);

    public void Add() => Interlocked.Increment(ref _value);
}
