namespace Mesh.Testing;

/// <summary>
/// Chance that is the same in every run: the SplitMix64 sequence from a seed. Safe to use from many threads; which thread gets which number
/// is up to them.
/// </summary>
/// <param name="seed">Where the sequence begins.</param>
public sealed class SeededRandomSource(ulong seed = 0) : IRandomSource
{
    private const ulong Step = 0x9E3779B97F4A7C15;

    private ulong _state = seed;

    /// <inheritdoc/>
    public ulong NextUInt64()
    {
        var z = Interlocked.Add(ref _state, Step);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
