using Istio.Type.V1Beta1;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>Whom a policy is for: <c>selector</c> or <c>targetRefs</c>.</summary>
internal static class PolicySelectorValidator
{
    /// <summary>The label of a workload that is a gateway of the Gateway API.</summary>
    public const string GatewayLabel = "gateway.networking.k8s.io/gateway-name";

    /// <summary>Group and kind of a gateway, the one target whose policies apply to workloads.</summary>
    public const string GatewayGroup = "gateway.networking.k8s.io";

    private static readonly (string Group, string Kind)[] Targets =
        [("", "Service"), ("networking.istio.io", "ServiceEntry"), (GatewayGroup, "Gateway"), (GatewayGroup, "GatewayClass")];

    public static void Validate(WorkloadSelector? selector, ValidationContext context)
    {
        if (selector is null)
        {
            return;
        }

        foreach (var (key, value) in selector.MatchLabels)
        {
            if (key.Length == 0)
            {
                context.Error("selector.matchLabels", $"empty key is not supported in selector: \"{key}={value}\".");
            }
            else if (key.Contains('*', StringComparison.Ordinal) || value.Contains('*', StringComparison.Ordinal))
            {
                context.Error(Yaml.YamlPath.Append("selector.matchLabels", key), $"wildcard is not supported in selector: \"{key}={value}\".");
            }
        }

        if (selector.MatchLabels.Count == 0)
        {
            context.Warn("selector", "workload selector specified without labels: it selects every workload; leave it out if that is meant.");
        }
    }

    public static void Validate(
        WorkloadSelector? selector, PolicyTargetReference? targetRef, IReadOnlyList<PolicyTargetReference> targetRefs, ValidationContext context)
    {
        if ((selector is null ? 0 : 1) + (targetRef is null ? 0 : 1) + (targetRefs.Count == 0 ? 0 : 1) > 1)
        {
            context.Error("", "only one of targetRefs or workloadSelector can be set: keep one of selector, targetRef and targetRefs.");
        }

        Validate(selector, context);
        if (targetRef is not null)
        {
            Validate(targetRef, "targetRef", context);
        }

        for (var i = 0; i < targetRefs.Count; i++)
        {
            Validate(targetRefs[i], $"targetRefs[{i}]", context);
        }
    }

    private static void Validate(PolicyTargetReference target, string path, ValidationContext context)
    {
        if (target.Name.Length == 0)
        {
            context.Error($"{path}.name", "targetRef name must be set.");
        }

        if (target.Namespace.Length > 0)
        {
            context.Error($"{path}.namespace", "targetRef namespace must not be set; cross namespace referencing is not supported.");
        }

        var group = target.Group == "core" ? "" : target.Group;
        if (!Targets.Contains((group, target.Kind)))
        {
            var known = string.Join(", ", Targets.Select(known => known.Group.Length == 0 ? known.Kind : $"{known.Group}/{known.Kind}"));
            context.Error(path, $"targetRef must be to one of {known} but was \"{target.Group}/{target.Kind}\".");
        }
        else if (target.Kind != "Gateway")
        {
            // As in Istio, where such a policy is for waypoints and no other proxy takes it.
            context.NotApplied(path, $"accepted, but without effect: policies of a {target.Kind} are for waypoints, which this version has none of; select workloads by selector.");
        }
    }
}
