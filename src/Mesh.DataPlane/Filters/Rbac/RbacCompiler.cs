using Envoy.Config.Rbac.V3;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Compiles <c>envoy.config.rbac.v3.RBAC</c>.</summary>
internal static class RbacCompiler
{
    /// <param name="message">The rules.</param>
    /// <param name="isHttp">Whether they are for requests.</param>
    /// <param name="path">Where they stand.</param>
    /// <param name="notes">Gets what is not applied and opens nothing.</param>
    /// <param name="ignoresPathCase">Paths are compared without regard to case, whatever the rules say.</param>
    /// <exception cref="ResourceRejectedException">They break a rule, or ask for what is not supported.</exception>
    public static RbacPolicies Compile(RBAC message, bool isHttp, string path, ICollection<string> notes, bool ignoresPathCase = false)
    {
        var action = Action(message.Action, path + ".action");
        var compiler = new RbacRuleCompiler(isHttp, ignoresPathCase);
        var lenient = action != RbacAction.Allow;
        return new RbacPolicies(action, message.Policies.Select(p => Compile(p.Key, p.Value, compiler, lenient, $"{path}.policies[\"{p.Key}\"]")))
        {
            Audit = RbacAuditCompiler.Compile(message.AuditLoggingOptions, path + ".audit_logging_options", notes),
        };
    }

    public static RbacAction Action(RBAC.Types.Action action, string path)
        => action switch
        {
            RBAC.Types.Action.Allow => RbacAction.Allow,
            RBAC.Types.Action.Deny => RbacAction.Deny,
            RBAC.Types.Action.Log => RbacAction.Log,
            _ => throw new ResourceRejectedException(path, $"{action} is not known"),
        };

    private static RbacPolicy Compile(string name, Policy message, RbacRuleCompiler compiler, bool lenient, string path)
    {
        // A condition in CEL narrows the policy.
        FieldRules.Refuse(message.Condition is not null, path + ".condition");
        FieldRules.Refuse(message.CheckedCondition is not null, path + ".checked_condition");
        FieldRules.Refuse(message.CelConfig is not null, path + ".cel_config");
        return new RbacPolicy(
            name,
            new RbacRule.Any([.. message.Permissions.Select((p, i) => compiler.Compile(p, lenient, $"{path}.permissions[{i}]"))]),
            new RbacRule.Any([.. message.Principals.Select((p, i) => compiler.Compile(p, lenient, $"{path}.principals[{i}]"))]));
    }
}
