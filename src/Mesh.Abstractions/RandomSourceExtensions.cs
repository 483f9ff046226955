namespace Mesh;

/// <summary>The shapes in which the mesh uses chance.</summary>
internal static class RandomSourceExtensions
{
    /// <summary>Draws from [0, <paramref name="exclusiveMax"/>) without bias that matters: 64 bits scaled by multiplication.</summary>
    public static uint Next(this IRandomSource random, uint exclusiveMax)
        => (uint)Math.BigMul(random.NextUInt64(), exclusiveMax, out _);

    /// <summary>Draws from [0, 1).</summary>
    public static double NextDouble(this IRandomSource random)
        => (random.NextUInt64() >> 11) * (1.0 / (1UL << 53));
}
