namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>Draws that are spread evenly: of <c>count</c> of them each share of the range gets exactly its share.</summary>
internal sealed class EvenRandomSource(int count) : IRandomSource
{
    private const int NotBegun = -1_000_000;

    private readonly ulong _step = ulong.MaxValue / (ulong)count;
    private int _next = NotBegun;

    /// <summary>What was drawn until now, for jitter and the like, does not count.</summary>
    public void Begin() => Volatile.Write(ref _next, -1);

    // In the middle of each step, so that no draw lies on a boundary.
    public ulong NextUInt64() => ((ulong)((Interlocked.Increment(ref _next) + (long)count) % count) * _step) + (_step / 2);
}
