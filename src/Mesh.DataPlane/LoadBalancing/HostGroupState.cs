namespace Mesh.DataPlane.LoadBalancing;

/// <summary>What a group of hosts (a priority's locality) remembers when its members change: where the rotation stands.</summary>
internal sealed class HostGroupState(uint start)
{
    private uint _cursor = start;

    public uint NextTurn() => Interlocked.Increment(ref _cursor);
}
