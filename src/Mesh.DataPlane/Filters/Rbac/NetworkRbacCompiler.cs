using Envoy.Extensions.Filters.Network.Rbac.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Timeouts;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Compiles <c>envoy.extensions.filters.network.rbac.v3.RBAC</c>.</summary>
internal static class NetworkRbacCompiler
{
    /// <param name="name">The filter's name in its chain.</param>
    /// <param name="packed">The message.</param>
    /// <param name="path">Where it stands.</param>
    /// <param name="notes">Gets what is not applied and opens nothing.</param>
    /// <exception cref="Mesh.Xds.Client.ResourceRejectedException">It breaks a rule, or asks for what is not supported.</exception>
    public static NetworkFilter Compile(string name, Any packed, string path, ICollection<string> notes)
    {
        var message = WireMessage.Parse(RBAC.Parser, packed.Value, path);
        foreach (var note in WireMessage.Validate(message, packed.Value, RBAC.Parser, path))
        {
            notes.Add(note);
        }

        // Both say who may pass; Envoy takes the matcher and drops the rules.
        FieldRules.Refuse(message.Matcher is not null, path + ".matcher");
        FieldRules.Refuse(message.ShadowMatcher is not null, path + ".shadow_matcher");
        if (message.EnforcementType != RBAC.Types.EnforcementType.OneTimeOnFirstByte)
        {
            notes.Add($"{path}.enforcement_type is not applied: nothing that is known of a connection changes, so that it is judged once, before its first byte");
        }

        return new NetworkRbacFilter(
            name,
            message.Rules is { } rules ? RbacCompiler.Compile(rules, isHttp: false, path + ".rules", notes) : null,
            message.ShadowRules is { } shadow ? RbacCompiler.Compile(shadow, isHttp: false, path + ".shadow_rules", notes) : null,
            message.StatPrefix,
            message.ShadowRulesStatPrefix,
            TimeoutPolicyCompiler.Value(message.DelayDeny, path + ".delay_deny") ?? TimeSpan.Zero);
    }
}
