using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>
/// Envoy's zone-aware routing: requests stay in the caller's zone as far as that zone has capacity for its callers, the rest goes where capacity
/// is left over. Envoy knows the callers as its local cluster. A process knows no callers but itself, so they are taken to be spread as the
/// cluster's hosts are when all are well: requests stay in the zone while its hosts are, and as far as fewer of them can carry it.
/// </summary>
/// <param name="RoutingEnabled">Percent of the requests for which it is done; Envoy's default is 100.</param>
/// <param name="MinClusterSize">Clusters with fewer healthy hosts are not divided; Envoy's default is 6.</param>
/// <param name="ForceLocalZoneMinSize">With so many healthy hosts in the caller's zone all requests stay there; <see langword="null"/> when not forced.</param>
/// <param name="ByWeight">Capacity is the hosts' weight instead of their number (<c>HEALTHY_HOSTS_WEIGHT</c>).</param>
internal sealed record ZoneAware(double RoutingEnabled = 100, ulong MinClusterSize = 6, uint? ForceLocalZoneMinSize = null, bool ByWeight = false)
{
    private const ulong Whole = 10_000;

    /// <summary>The localities' shares; <see langword="null"/> when the cluster is not divided.</summary>
    /// <param name="localities">The localities with the hosts that may be used.</param>
    /// <param name="all">The same with all their hosts.</param>
    /// <param name="zone">Where this process runs.</param>
    public IReadOnlyList<(LocalityHosts Locality, ulong Weight)>? Weigh(LocalityHosts[] localities, LocalityHosts[] all, string zone)
    {
        var present = localities.Where(l => l.Hosts.Length > 0).ToArray();
        var local = Array.Find(present, l => l.Name == zone);
        var forced = ForceLocalZoneMinSize is { } size && local?.Hosts.Length >= size;
        if (present.Length < 2 || (ulong)present.Sum(l => l.Hosts.Length) < MinClusterSize)
        {
            return null;
        }

        if (forced)
        {
            return Enabled([(local!, Whole)], present);
        }

        if (!Array.Exists(all, l => l.Name == zone && l.Hosts.Length > 0))
        {
            return null;
        }

        // 1. Shares of capacity and of callers, in hundredths of a percent.
        var capacity = Shares(present, Size);
        var demands = Shares(all, Size);
        var demand = present.Select(l => demands[Array.FindIndex(all, a => a.Name == l.Name)]).ToArray();

        // 2. All of it stays, or what the zone's capacity covers.
        var own = Array.IndexOf(present, local);
        if (own >= 0 && capacity[own] > 0 && capacity[own] >= demand[own])
        {
            return Enabled([(local!, Whole)], present);
        }

        var stays = own >= 0 && demand[own] > 0 ? capacity[own] * Whole / demand[own] : 0;

        // 3. The rest goes where capacity exceeds the callers of the same zone, in proportion.
        var residual = present.Select((_, i) => i != own && capacity[i] > demand[i] ? capacity[i] - demand[i] : 0).ToArray();
        var left = residual.Aggregate(0UL, (sum, r) => sum + r);
        var shares = new List<(LocalityHosts, ulong)>();
        for (var i = 0; i < present.Length; i++)
        {
            // Rounding may leave no residual at all: then any zone.
            var weight = (i == own ? stays * Math.Max(left, 1) : 0) + ((Whole - stays) * (left == 0 ? Whole / (ulong)present.Length : residual[i]) / (left == 0 ? Whole : 1));
            if (weight > 0)
            {
                shares.Add((present[i], weight));
            }
        }

        return Enabled(shares, present);
    }

    private ulong Size(LocalityHosts locality) => ByWeight ? locality.Hosts.Aggregate(0UL, (sum, h) => sum + h.Resource.Weight) : (ulong)locality.Hosts.Length;

    // The requests for which it is not done go to all hosts alike.
    private IReadOnlyList<(LocalityHosts, ulong)> Enabled(List<(LocalityHosts, ulong Weight)> shares, LocalityHosts[] present)
    {
        if (RoutingEnabled >= 100)
        {
            return shares;
        }

        var sum = shares.Aggregate(0UL, (s, l) => s + l.Weight);
        var percent = (ulong)Math.Max(0, Math.Round(RoutingEnabled));
        var divided = shares.Select(s => (s.Item1, s.Weight * percent)).Where(s => s.Item2 > 0);
        return [.. divided, (new LocalityHosts("", 0, [.. present.SelectMany(l => l.Hosts)]), sum * (100 - percent))];
    }

    private static ulong[] Shares(LocalityHosts[] localities, Func<LocalityHosts, ulong> size)
    {
        var sizes = localities.Select(size).ToArray();
        var sum = sizes.Aggregate(0UL, (s, n) => s + n);
        return [.. sizes.Select(s => Whole * s / sum)];
    }
}
