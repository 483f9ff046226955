namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>
/// Draws whose successors are spread evenly: routes are chosen by a request's draw itself, localities and hosts by the number that follows it
/// (SplitMix64, which is undone here), so that of <c>count</c> requests each of these gets exactly its share.
/// </summary>
internal sealed class EvenPickRandomSource(int count) : IRandomSource
{
    private readonly EvenRandomSource _even = new(count);

    /// <inheritdoc cref="EvenRandomSource.Begin"/>
    public void Begin() => _even.Begin();

    public ulong NextUInt64()
    {
        var z = _even.NextUInt64();
        z ^= (z >> 31) ^ (z >> 62);
        z *= 0x319642B2D24D8EC3;
        z ^= (z >> 27) ^ (z >> 54);
        z *= 0x96DE1B173F119089;
        z ^= (z >> 30) ^ (z >> 60);
        return z - 0x9E3779B97F4A7C15;
    }
}
