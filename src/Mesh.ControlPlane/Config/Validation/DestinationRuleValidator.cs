using Istio.Networking.V1Alpha3;

namespace Mesh.ControlPlane.Config.Validation;

internal static class DestinationRuleValidator
{
    public static void Validate(DestinationRule spec, ValidationContext context)
    {
        if (spec.Host.Length == 0)
        {
            context.Error("host", "is required: name the service that the rule is for.");
        }
        else if (!DnsName.IsWildcardHost(spec.Host) && !DnsName.IsAddress(spec.Host))
        {
            context.Error("host", $"\"{spec.Host}\" is not a host.");
        }

        FieldRules.ExportTo(spec.ExportTo, context);
        if (spec.WorkloadSelector is not null && (spec.ExportTo.Count > 1 || spec.ExportTo.Any(target => target is "*" or "~")))
        {
            context.Error("exportTo", "a rule with a workloadSelector is for workloads of its own namespace: write \".\" or leave it out.");
        }

        TrafficPolicyValidator.Validate(spec.TrafficPolicy, "trafficPolicy", context);
        LabelValidator.Validate(spec.WorkloadSelector?.MatchLabels ?? [], "workloadSelector.matchLabels", context);
        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < spec.Subsets.Count; i++)
        {
            var subset = spec.Subsets[i];
            var path = $"subsets[{i}]";
            if (subset.Name.Length == 0)
            {
                context.Error($"{path}.name", "is required: VirtualServices name the subset by it.");
            }
            else if (!DnsName.IsLabel(subset.Name))
            {
                context.Error($"{path}.name", $"\"{subset.Name}\" is not a subset's name: letters, digits and '-', at most 63.");
            }
            else if (!names.TryAdd(subset.Name, i))
            {
                context.Error($"{path}.name", $"the subset \"{subset.Name}\" is given twice, first as subsets[{names[subset.Name]}]: rename or remove one.");
            }

            LabelValidator.Validate(subset.Labels, $"{path}.labels", context);
            TrafficPolicyValidator.Validate(subset.TrafficPolicy, $"{path}.trafficPolicy", context, spec.TrafficPolicy);
        }
    }
}
