using Mesh.DataPlane.LoadBalancing;

namespace Mesh.DataPlane.Clusters;

/// <summary>Counts picks in panic, and those of zone-aware routing, as Envoy does.</summary>
/// <param name="stats">Where.</param>
/// <param name="zone">The zone of this process, where requests are to stay in it; <see langword="null"/> in panic.</param>
/// <param name="staysWhole">All of them stay.</param>
internal sealed class LocalityPicks(ClusterStats stats, string? zone = null, bool staysWhole = false)
{
    /// <summary>A group has been picked.</summary>
    public void Count(HostGroup group, in PickContext context)
    {
        if (context.IsRehearsal)
        {
            return;
        }

        if (zone is null)
        {
            stats.HealthyPanic.Increment();
        }
        else if (group.Locality == zone)
        {
            (staysWhole ? ref stats.ZoneRoutedDirectly : ref stats.ZoneSampled).Increment();
        }
        else if (group.Locality.Length > 0)
        {
            stats.ZoneCrossed.Increment();
        }
    }
}
