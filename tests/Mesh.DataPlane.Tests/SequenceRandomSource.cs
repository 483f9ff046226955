namespace Mesh.DataPlane.Tests;

/// <summary>Chance that goes evenly through all its values: n draws of it hit every n-th part of the range once.</summary>
internal sealed class SequenceRandomSource(int steps) : IRandomSource
{
    private int _next = -1;

    public ulong NextUInt64() => (ulong)(((UInt128)((uint)Interlocked.Increment(ref _next) % (uint)steps * 2) + 1) * ((UInt128)1 << 63) / (uint)steps);
}
