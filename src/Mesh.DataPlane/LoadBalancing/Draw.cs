namespace Mesh.DataPlane.LoadBalancing;

/// <summary>A request has one random draw; whatever needs more chance derives it, so that one number replays the whole decision.</summary>
internal static class Draw
{
    /// <summary>The next number of the sequence that begins with <paramref name="draw"/> (the SplitMix64 permutation).</summary>
    public static ulong Next(ulong draw)
    {
        draw += 0x9E3779B97F4A7C15;
        draw = (draw ^ (draw >> 30)) * 0xBF58476D1CE4E5B9;
        draw = (draw ^ (draw >> 27)) * 0x94D049BB133111EB;
        return draw ^ (draw >> 31);
    }
}
