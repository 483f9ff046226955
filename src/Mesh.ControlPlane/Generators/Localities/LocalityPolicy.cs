using System.Text;
using Envoy.Config.Cluster.V3;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators.Localities;

/// <summary>
/// How a cluster prefers some places to others, as Istio decides it: what the DestinationRule says, else what the service asks for
/// (<c>trafficDistribution</c>), else failover by locality wherever there is outlier detection.
/// </summary>
internal abstract class LocalityPolicy
{
    /// <returns>The policy, or <see langword="null"/> when places make no difference to the cluster.</returns>
    public static LocalityPolicy? Of(MeshService service, in TrafficPolicyParts policy)
    {
        var outlierDetection = policy.OutlierDetection is not null;
        if (policy.LoadBalancer?.ZoneAwareLbSetting is { } zoneAware)
        {
            return new ZoneAware(zoneAware);
        }

        if (policy.LoadBalancer?.LocalityLbSetting is { } own)
        {
            return Of(own, outlierDetection);
        }

        if (service.FailoverPriority.Count > 0)
        {
            return new Failover(new LocalityLoadBalancerSetting { FailoverPriority = { service.FailoverPriority } });
        }

        if (policy.MeshZoneAware is { Enabled: not false } zones)
        {
            return new ZoneAware(zones);
        }

        // Without outlier detection no host is ever found unhealthy, so nothing would fail over.
        return policy.MeshLocality is { } mesh ? Of(mesh, outlierDetection) : outlierDetection ? new Failover(new LocalityLoadBalancerSetting()) : null;

        static LocalityPolicy? Of(LocalityLoadBalancerSetting setting, bool outlierDetection)
            => setting.Enabled == false || (setting.Distribute.Count == 0 && !outlierDetection)
                ? null
                : setting.Distribute.Count > 0 ? new Distribute(setting.Distribute) : new Failover(setting);
    }

    /// <summary>Says in the cluster what the priorities and weights of its endpoints are for.</summary>
    public abstract void ApplyTo(Cluster.Types.CommonLbConfig config);

    /// <summary>Gives the groups the priorities and weights that this client sees.</summary>
    public abstract List<LocalityGroup> Apply(Proxy proxy, List<LocalityGroup> groups);

    /// <summary>Equal for clients that see the same priorities and weights.</summary>
    public abstract string KeyOf(Proxy proxy);

    protected static string KeyOf(Proxy proxy, IEnumerable<string> labels)
    {
        var key = new StringBuilder(proxy.Locality.ToString());
        foreach (var label in labels)
        {
            key.Append('\0').Append(proxy.LabelOf(FailoverLabels.NameOf(label)));
        }

        return key.ToString();
    }

    /// <summary>Envoy wants priorities from 0 without a gap.</summary>
    protected static void CloseGaps(List<LocalityGroup> groups)
    {
        var ranks = groups.Select(group => group.Priority).Distinct().Order().ToList();
        foreach (var group in groups)
        {
            group.Priority = (uint)ranks.BinarySearch(group.Priority);
        }
    }

    /// <summary>Shares of the traffic by place: the first entry that covers the client counts; what it does not name gets nothing.</summary>
    private sealed class Distribute(IReadOnlyList<LocalityLoadBalancerSetting.Types.Distribute> entries) : LocalityPolicy
    {
        public override void ApplyTo(Cluster.Types.CommonLbConfig config) => config.LocalityWeightedLbConfig = new();

        public override string KeyOf(Proxy proxy) => KeyOf(proxy, []);

        public override List<LocalityGroup> Apply(Proxy proxy, List<LocalityGroup> groups)
        {
            if (entries.FirstOrDefault(entry => proxy.Locality.IsCoveredBy(entry.From)) is not { } entry)
            {
                return groups;
            }

            var chosen = new List<LocalityGroup>(groups.Count);
            foreach (var (pattern, share) in entry.To)
            {
                var covered = groups.Where(group => group.Locality.IsCoveredBy(pattern) && !chosen.Contains(group)).ToArray();
                var total = covered.Sum(group => (double)group.Weight);
                foreach (var group in covered)
                {
                    // Several localities below one pattern divide its share by what they weigh.
                    group.Weight = (uint)Math.Ceiling(group.Weight * (double)share / total);
                    chosen.Add(group);
                }
            }

            return [.. groups.Where(chosen.Contains)];
        }
    }

    /// <summary>Near places first: by the labels of a list, or by region, zone and sub-zone.</summary>
    private sealed class Failover(LocalityLoadBalancerSetting setting) : LocalityPolicy
    {
        public override void ApplyTo(Cluster.Types.CommonLbConfig config)
        {
            if (setting.Failover.Count > 0 || setting.FailoverPriority.Count > 0)
            {
                config.LocalityWeightedLbConfig = new();
            }
        }

        public override string KeyOf(Proxy proxy) => KeyOf(proxy, setting.FailoverPriority);

        public override List<LocalityGroup> Apply(Proxy proxy, List<LocalityGroup> groups)
        {
            if (setting.FailoverPriority.Count > 0)
            {
                groups = FailoverLabels.Split(proxy, groups, setting.FailoverPriority);
                CloseGaps(groups);
                if (setting.Failover.Count == 0)
                {
                    return groups;
                }
            }

            var next = setting.Failover.FirstOrDefault(failover => failover.From == proxy.Locality.Region)?.To;
            foreach (var group in groups)
            {
                group.Priority = (group.Priority * 5) + Distance(proxy.Locality, group.Locality, next);
            }

            CloseGaps(groups);
            return groups;
        }

        private static uint Distance(MeshLocality client, MeshLocality endpoint, string? next)
        {
            if (client.Region != endpoint.Region)
            {
                return next is null || endpoint.Region == next ? 3u : 4u;
            }

            return client.Zone != endpoint.Zone ? 2u : client.SubZone != endpoint.SubZone ? 1u : 0u;
        }
    }

    /// <summary>Envoy's zone-aware routing within the region; other regions only stand by.</summary>
    private sealed class ZoneAware(ZoneAwareLoadBalancerSetting setting) : LocalityPolicy
    {
        private bool IsEnabled => setting.Enabled != false;

        public override void ApplyTo(Cluster.Types.CommonLbConfig config)
        {
            // Envoy routes by zone of its own accord where it can: to be off it has to be told so.
            config.ZoneAwareLbConfig = new() { MinClusterSize = setting.MinClusterSize, RoutingEnabled = IsEnabled ? null : new() { Value = 0 } };
        }

        public override string KeyOf(Proxy proxy) => IsEnabled ? KeyOf(proxy, setting.FailoverPriority) : "";

        public override List<LocalityGroup> Apply(Proxy proxy, List<LocalityGroup> groups)
        {
            if (!IsEnabled)
            {
                return groups;
            }

            if (setting.FailoverPriority.Count > 0)
            {
                groups = FailoverLabels.Split(proxy, groups, setting.FailoverPriority);
                CloseGaps(groups);
            }

            var next = setting.Failover.FirstOrDefault(failover => failover.From == proxy.Locality.Region)?.To;
            foreach (var group in groups)
            {
                group.Priority = (group.Priority * 3) + (group.Locality.Region == proxy.Locality.Region ? 0u : group.Locality.Region == next ? 1u : 2u);
            }

            CloseGaps(groups);
            return groups;
        }
    }
}
