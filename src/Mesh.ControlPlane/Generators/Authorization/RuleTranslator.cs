using Envoy.Config.Rbac.V3;
using Istio.Security.V1Beta1;
using Mesh.ControlPlane.Model.Policies;
using RbacAction = Envoy.Config.Rbac.V3.RBAC.Types.Action;

namespace Mesh.ControlPlane.Generators.Authorization;

/// <summary>
/// One rule of an AuthorizationPolicy becomes one policy of an RBAC filter: every source (with the conditions on who it is) a principal, every operation
/// (with the other conditions) a permission.
/// </summary>
/// <param name="permissions">Reads what is done.</param>
/// <param name="principals">Reads who it is.</param>
/// <param name="action">What the filter does with a match.</param>
internal sealed class RuleTranslator(PermissionTests permissions, PrincipalTests principals, RbacAction action)
{
    /// <summary>A policy that matches nothing: what a policy without rules comes to.</summary>
    public static Policy Never() => new()
    {
        Permissions = { PermissionTests.Not(PermissionTests.Any) },
        Principals = { PrincipalTests.Not(PrincipalTests.Any) },
    };

    /// <returns>
    /// The policy, or <see langword="null"/> when it allows and asks for what cannot be known here: so it allows less. One that denies is left with what
    /// can be known: so it denies more.
    /// </returns>
    public Policy? Translate(Rule rule)
    {
        var policy = new Policy();
        var isComplete = true;
        var who = rule.When.Select(principals.Of).OfType<RuleTest<Principal>>().ToArray();
        var what = rule.When.Select(permissions.Of).OfType<RuleTest<Permission>>().ToArray();
        foreach (var operation in rule.To.Count == 0 ? [null] : rule.To.Select(Operation? (to) => to.Operation))
        {
            policy.Permissions.Add(All(operation is null ? what : [.. permissions.Of(operation), .. what], PermissionTests.Any, PermissionTests.And));
        }

        foreach (var source in rule.From.Count == 0 ? [null] : rule.From.Select(Source? (from) => from.Source))
        {
            policy.Principals.Add(All(source is null ? who : [.. principals.Of(source), .. who], PrincipalTests.Any, PrincipalTests.And));
        }

        return isComplete || action != RbacAction.Allow ? policy : null;

        T All<T>(RuleTest<T>[] tests, T any, Func<IEnumerable<T>, T> and)
            where T : class
        {
            var conditions = new List<T>();
            foreach (var test in tests)
            {
                isComplete &= test.AddTo(conditions);
            }

            return and(conditions.Count == 0 ? [any] : conditions);
        }
    }
}
