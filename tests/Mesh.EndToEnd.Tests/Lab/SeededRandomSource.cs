namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>The same sequence in each run; which caller gets which draw is up to the scheduler.</summary>
internal sealed class SeededRandomSource(int seed) : IRandomSource
{
    private readonly Lock _gate = new();
    private readonly Random _random = new(seed);

    public ulong NextUInt64()
    {
        lock (_gate)
        {
            return (ulong)_random.NextInt64(long.MinValue, long.MaxValue);
        }
    }
}
