namespace Mesh.DataPlane.LoadBalancing;

/// <summary>What a group of hosts (a priority's locality) remembers when its members change: where the rotation stands.</summary>
internal sealed class HostGroupState(uint start, TimeProvider? time = null)
{
    private uint _cursor = start;

    /// <summary>The clock by which weights grow.</summary>
    public TimeProvider Time { get; } = time ?? TimeProvider.System;

    /// <summary>A number of this process's own.</summary>
    public uint Seed { get; } = start;

    public uint NextTurn() => Interlocked.Increment(ref _cursor);

    /// <summary>The turn that comes after so many others, without taking it.</summary>
    public uint PeekTurn(uint others = 0) => Volatile.Read(ref _cursor) + 1 + others;
}
