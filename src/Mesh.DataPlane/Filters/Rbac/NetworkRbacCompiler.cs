using Envoy.Extensions.Filters.Network.Rbac.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Timeouts;
using Mesh.Xds.Client;
using Xds.Type.Matcher.V3;
using Rules = Envoy.Config.Rbac.V3.RBAC;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Compiles <c>envoy.extensions.filters.network.rbac.v3.RBAC</c>.</summary>
internal static class NetworkRbacCompiler
{
    /// <param name="name">The filter's name in its chain.</param>
    /// <param name="packed">The message.</param>
    /// <param name="path">Where it stands.</param>
    /// <param name="notes">Gets what is not applied and opens nothing.</param>
    /// <exception cref="ResourceRejectedException">It breaks a rule, or asks for what is not supported.</exception>
    public static NetworkFilter Compile(string name, Any packed, string path, ICollection<string> notes)
    {
        var message = WireMessage.Parse(RBAC.Parser, packed.Value, path);
        foreach (var note in WireMessage.Validate(message, packed.Value, RBAC.Parser, path))
        {
            notes.Add(note);
        }

        if (message.EnforcementType != RBAC.Types.EnforcementType.OneTimeOnFirstByte)
        {
            notes.Add($"{path}.enforcement_type is not applied: nothing that is known of a connection changes, so that it is judged once, before its first byte");
        }

        return new NetworkRbacFilter(
            name,
            Engine(message.Rules, message.Matcher, path, "rules", "matcher", notes),
            Engine(message.ShadowRules, message.ShadowMatcher, path, "shadow_rules", "shadow_matcher", notes),
            message.StatPrefix,
            message.ShadowRulesStatPrefix,
            TimeoutPolicyCompiler.Value(message.DelayDeny, path + ".delay_deny") ?? TimeSpan.Zero);
    }

    // Both say who may pass; Envoy takes the matcher and drops the rules.
    private static RbacEngine? Engine(Rules? rules, Matcher? matcher, string path, string rulesField, string matcherField, ICollection<string> notes)
        => matcher is null ? rules is null ? null : RbacCompiler.Compile(rules, isHttp: false, $"{path}.{rulesField}", notes)
            : rules is null ? RbacMatcherCompiler.Compile(matcher, isHttp: false, $"{path}.{matcherField}")
            : throw new ResourceRejectedException($"{path}.{matcherField}", $"must not be set beside {rulesField}");
}
