using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>Where weights come from that change by themselves.</summary>
internal abstract class HostWeights
{
    // Fine enough for a hundredth of the lightest host.
    private const double Resolution = 10_000;

    /// <summary>The weights at a moment.</summary>
    /// <param name="hosts">The hosts of a group.</param>
    /// <param name="time">The clock by which they were first seen.</param>
    /// <param name="now">A timestamp of it.</param>
    /// <param name="weights">Receives one weight for each host.</param>
    /// <returns>When to ask again; <see langword="null"/> when they stay.</returns>
    public abstract TimeSpan? Weigh(Endpoint[] hosts, TimeProvider time, long now, Span<double> weights);

    /// <summary>The same as whole numbers that keep the proportions.</summary>
    public static uint[] Scale(ReadOnlySpan<double> weights)
    {
        var (least, greatest, whole) = (double.MaxValue, 0.0, true);
        foreach (var weight in weights)
        {
            least = Math.Min(least, weight);
            greatest = Math.Max(greatest, weight);
            whole &= weight == Math.Floor(weight);
        }

        var factor = (whole ? 1 : Resolution) * Math.Min(1, uint.MaxValue / Resolution / Math.Max(greatest, 1));
        var scaled = new uint[weights.Length];
        for (var i = 0; i < scaled.Length; i++)
        {
            scaled[i] = least == greatest ? 1 : (uint)Math.Max(1, Math.Round(weights[i] * factor));
        }

        return scaled;
    }
}
