using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config.Yaml;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>Preferences by place: shares that make 100 %, places that do not overlap, regions that differ.</summary>
internal static class LocalityLbValidator
{
    public static void Validate(LocalityLoadBalancerSetting? setting, OutlierDetection? outlier, string path, ValidationContext context)
    {
        if (setting is null)
        {
            return;
        }

        if (setting.Distribute.Count > 0 && setting.Failover.Count > 0)
        {
            context.Error($"{path}.failover", "cannot be given beside distribute: keep one.");
        }
        else if (setting.Distribute.Count > 0 && setting.FailoverPriority.Count > 0)
        {
            context.Warn($"{path}.failoverPriority", "is not used beside distribute.");
        }

        for (var i = 0; i < setting.FailoverPriority.Count; i++)
        {
            var label = setting.FailoverPriority[i];
            if (setting.Failover.Count > 0 && label is TopologyLabels.Region or TopologyLabels.Zone or TopologyLabels.SubZone)
            {
                context.Error($"{path}.failoverPriority[{i}]", $"{label} cannot be given beside failover, which orders places by itself: keep one.");
            }
        }

        NotOverlapping(setting.Distribute.Select((entry, i) => (entry.From, $"{path}.distribute[{i}].from")), context);
        for (var i = 0; i < setting.Distribute.Count; i++)
        {
            Shares(setting.Distribute[i], $"{path}.distribute[{i}].to", context);
        }

        Labels(setting.FailoverPriority, $"{path}.failoverPriority", context);
        Failover(setting.Failover.Select(entry => (entry.From, entry.To)), $"{path}.failover", context);
        if (outlier is null && setting.Distribute.Count == 0 && setting.Enabled != false)
        {
            WarnOfMissingDetection(setting.Failover.Count, setting.FailoverPriority.Count, path, "so nothing fails over", context);
        }
    }

    public static void Validate(ZoneAwareLoadBalancerSetting? setting, OutlierDetection? outlier, string path, ValidationContext context)
    {
        if (setting is null)
        {
            return;
        }

        for (var i = 0; i < setting.FailoverPriority.Count; i++)
        {
            if (setting.FailoverPriority[i] is TopologyLabels.Region or TopologyLabels.Zone or TopologyLabels.SubZone)
            {
                context.Error($"{path}.failoverPriority[{i}]", $"{setting.FailoverPriority[i]} is what zone-aware routing goes by anyway: remove it.");
            }
        }

        Labels(setting.FailoverPriority, $"{path}.failoverPriority", context);
        Failover(setting.Failover.Select(entry => (entry.From, entry.To)), $"{path}.failover", context);
        if (outlier is null)
        {
            WarnOfMissingDetection(setting.Failover.Count, setting.FailoverPriority.Count, path, "so only endpoints that are gone make it fail over", context);
        }
    }

    private static void WarnOfMissingDetection(int failovers, int labels, string path, string consequence, ValidationContext context)
    {
        if (failovers > 0 || labels > 0)
        {
            context.Warn(
                failovers > 0 ? $"{path}.failover" : $"{path}.failoverPriority",
                $"needs outlierDetection in the same policy: without it no endpoint is found unhealthy, {consequence}.");
        }
    }

    private static void Shares(LocalityLoadBalancerSetting.Types.Distribute entry, string path, ValidationContext context)
    {
        var total = 0UL;
        foreach (var (place, share) in entry.To)
        {
            total += share;
            if (share is 0 or > 100)
            {
                context.Error(YamlPath.Append(path, place), $"must be from 1 to 100, not {share}.");
            }
        }

        if (total != 100)
        {
            context.Error(path, $"the shares must add up to 100, not {total}.");
        }

        NotOverlapping(entry.To.Keys.Select(place => (place, YamlPath.Append(path, place))), context);
    }

    private static void NotOverlapping(IEnumerable<(string Place, string Path)> places, ValidationContext context)
    {
        var seen = new List<string[]>();
        foreach (var (place, path) in places)
        {
            var parts = place.Split('/', 3);
            if (parts.Any(part => part.Length == 0) || place.IndexOf('*') is >= 0 and var star && (star != place.Length - 1 || parts[^1] != "*"))
            {
                context.Error(path, $"\"{place}\" is not a place: write region, region/zone or region/zone/subzone, with * for any as the last part at most.");
                continue;
            }

            // What an earlier place covers is never reached; a wildcard may come last and take the rest.
            var known = parts.TakeWhile(part => part != "*").ToArray();
            if (seen.Any(other => (other.Length <= known.Length || parts[^1] != "*") && other.Zip(known).All(pair => pair.First == pair.Second)))
            {
                context.Error(path, $"\"{place}\" overlaps with one before it: remove one.");
            }

            seen.Add(known);
        }
    }

    private static void Labels(IReadOnlyList<string> entries, string path, ValidationContext context)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < entries.Count; i++)
        {
            var label = entries[i].Split('=', 2)[0];
            if (label.Length == 0)
            {
                context.Error($"{path}[{i}]", "must be a label's key, or key=value.");
            }
            else if (!seen.Add(label))
            {
                context.Error($"{path}[{i}]", $"the label \"{label}\" is given twice: keep one.");
            }
        }
    }

    private static void Failover(IEnumerable<(string From, string To)> entries, string path, ValidationContext context)
    {
        var from = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (entry, i) in entries.Select((entry, i) => (entry, i)))
        {
            Region(entry.From, $"{path}[{i}].from", context);
            Region(entry.To, $"{path}[{i}].to", context);
            if (entry.From == entry.To)
            {
                context.Error($"{path}[{i}].to", "must be another region than from.");
            }

            if (!from.Add(entry.From))
            {
                context.Warn($"{path}[{i}]", $"is never used: an earlier entry is for {entry.From} already, and the first counts.");
            }
        }
    }

    private static void Region(string region, string path, ValidationContext context)
    {
        if (region.Length == 0)
        {
            context.Error(path, "is required: name a region.");
        }
        else if (region.Contains('/') || region.Contains('*'))
        {
            context.Error(path, $"\"{region}\" is not a region: zones and * are not allowed here.");
        }
    }
}
