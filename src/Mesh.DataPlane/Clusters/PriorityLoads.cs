namespace Mesh.DataPlane.Clusters;

/// <summary>How requests spread over priority levels by how many of each level's hosts are available: Envoy's arithmetic, in whole percent.</summary>
internal static class PriorityLoads
{
    /// <summary>The availability of a level in percent: the share of its hosts, more by the overprovisioning factor, at most 100.</summary>
    public static uint Availability(ulong available, ulong all, uint overprovisioningFactor)
        => all == 0 ? 0 : (uint)Math.Min(100, overprovisioningFactor * available / all);

    /// <summary>What all levels together can carry, at most 100.</summary>
    public static uint Total(ReadOnlySpan<uint> healthy, ReadOnlySpan<uint> degraded)
    {
        var total = 0u;
        for (var i = 0; i < healthy.Length; i++)
        {
            total += healthy[i] + degraded[i];
        }

        return Math.Min(100, total);
    }

    /// <summary>
    /// Healthy hosts first, level by level; then degraded ones. What integer division leaves over belongs to the first level that has healthy
    /// hosts, or else degraded ones. The loads sum to 100.
    /// </summary>
    /// <param name="healthy">The levels' availability by healthy hosts.</param>
    /// <param name="degraded">The levels' availability by degraded hosts.</param>
    /// <param name="loads">Receives the loads: those of the healthy hosts of every level, then those of the degraded ones.</param>
    /// <returns><see langword="false"/> when nobody is available.</returns>
    public static bool Distribute(ReadOnlySpan<uint> healthy, ReadOnlySpan<uint> degraded, Span<uint> loads)
    {
        loads.Clear();
        var total = Total(healthy, degraded);
        if (total == 0)
        {
            return false;
        }

        var left = 100u;
        var first = -1;
        for (var i = 0; i < loads.Length; i++)
        {
            var available = i < healthy.Length ? healthy[i] : degraded[i - healthy.Length];
            if (available > 0 && first < 0)
            {
                first = i;
            }

            loads[i] = Math.Min(left, available * 100 / total);
            left -= loads[i];
        }

        loads[first] += left;
        return true;
    }

    /// <summary>With every level in panic, health counts for nothing: each takes part by its number of hosts.</summary>
    public static void DistributeByCount(ReadOnlySpan<int> counts, Span<uint> loads)
    {
        loads.Clear();
        var total = 0L;
        foreach (var count in counts)
        {
            total += count;
        }

        var left = 100u;
        var first = -1;
        for (var i = 0; i < counts.Length; i++)
        {
            if (counts[i] > 0 && first < 0)
            {
                first = i;
            }

            loads[i] = (uint)(100L * counts[i] / total);
            left -= loads[i];
        }

        loads[first] += left;
    }
}
