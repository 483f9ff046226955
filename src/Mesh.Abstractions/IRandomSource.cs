namespace Mesh;

/// <summary>Where the mesh draws chance from: weights, load balancing, jitter, fractions.</summary>
/// <remarks>Replace it (a singleton in the container) to make every decision repeatable. Implementations are called from many threads at once.</remarks>
public interface IRandomSource
{
    /// <summary>Draws 64 uniformly distributed bits.</summary>
    ulong NextUInt64();
}
