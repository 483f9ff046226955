using Envoy.Config.Listener.V3;
using Envoy.Config.Rbac.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Istio.Security.V1Beta1;
using Mesh.ControlPlane.Model.Policies;
using Action = Istio.Security.V1Beta1.AuthorizationPolicy.Types.Action;
using HttpRbac = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;
using NetworkRbac = Envoy.Extensions.Filters.Network.Rbac.V3.RBAC;
using RbacAction = Envoy.Config.Rbac.V3.RBAC.Types.Action;

namespace Mesh.ControlPlane.Generators.Authorization;

/// <summary>
/// The RBAC filters of a port, with Istio's names and shapes: those that only log, those that deny, those that allow, in this order. Policies on trial
/// (<c>istio.io/dry-run</c>) are the shadow rules of the same filter.
/// </summary>
/// <param name="policies">What the workload is under.</param>
/// <param name="trustDomains">The mesh's trust domains.</param>
/// <param name="port">The port that they are enforced at.</param>
internal sealed class AuthorizationTranslator(WorkloadPolicies policies, TrustDomains trustDomains, LocalPort port)
{
    public const string HttpFilterName = "envoy.filters.http.rbac";
    public const string NetworkFilterName = "envoy.filters.network.rbac";

    /// <summary>What the keys begin with under which a policy on trial tells what it would have decided.</summary>
    public const string DryRunAllowPrefix = "istio_dry_run_allow_";

    /// <inheritdoc cref="DryRunAllowPrefix"/>
    public const string DryRunDenyPrefix = "istio_dry_run_deny_";

    private const string TcpStatPrefix = "tcp.";

    private static readonly (Action Action, RbacAction Does)[] Order =
        [(Action.Audit, RbacAction.Log), (Action.Deny, RbacAction.Deny), (Action.Allow, RbacAction.Allow)];

    /// <summary>For requests.</summary>
    public IEnumerable<HttpFilter> HttpFilters()
    {
        foreach (var (rules, shadow) in Filters(isHttp: true))
        {
            yield return new HttpFilter
            {
                Name = HttpFilterName,
                TypedConfig = Any.Pack(new HttpRbac { Rules = rules, ShadowRules = shadow, ShadowRulesStatPrefix = ShadowPrefix(shadow) }),
            };
        }
    }

    /// <summary>For connections that are not HTTP.</summary>
    public IEnumerable<Filter> NetworkFilters()
    {
        foreach (var (rules, shadow) in Filters(isHttp: false))
        {
            yield return new Filter
            {
                Name = NetworkFilterName,
                TypedConfig = Any.Pack(new NetworkRbac { Rules = rules, ShadowRules = shadow, ShadowRulesStatPrefix = ShadowPrefix(shadow), StatPrefix = TcpStatPrefix }),
            };
        }
    }

    /// <summary>Policies as the rules of one filter, under the names that logs and metrics tell.</summary>
    /// <param name="policies">The policies.</param>
    /// <param name="does">What the filter does with a match.</param>
    /// <param name="isHttp">Whether there are requests, and not connections only.</param>
    /// <param name="nameOf">The name of a rule of a policy.</param>
    public RBAC Rules(
        IEnumerable<PolicyRule<AuthorizationPolicy>> policies, RbacAction does, bool isHttp, Func<PolicyRule<AuthorizationPolicy>, int, string> nameOf)
    {
        var rbac = new RBAC { Action = does };
        var permissions = new PermissionTests(port, isHttp);
        foreach (var policy in policies)
        {
            var translator = new RuleTranslator(permissions, new PrincipalTests(policy.Namespace, trustDomains, isHttp), does);
            for (var i = 0; i < policy.Spec.Rules.Count; i++)
            {
                if (translator.Translate(policy.Spec.Rules[i]) is { } translated)
                {
                    rbac.Policies[nameOf(policy, i)] = translated;
                }
            }

            if (policy.Spec.Rules.Count == 0)
            {
                rbac.Policies[nameOf(policy, 0)] = RuleTranslator.Never();
            }
        }

        return rbac;
    }

    /// <summary>Istio's name of a rule.</summary>
    public static string NameOf(PolicyRule<AuthorizationPolicy> policy, int rule) => $"ns[{policy.Namespace}]-policy[{policy.Source.Name}]-rule[{rule}]";

    private IEnumerable<(RBAC? Rules, RBAC? Shadow)> Filters(bool isHttp)
    {
        foreach (var (action, does) in Order)
        {
            var enforced = policies.Of(action).Where(policy => !DryRun.IsOn(policy.Source)).ToArray();
            var onTrial = policies.Of(action).Where(policy => DryRun.IsOn(policy.Source)).ToArray();
            if (enforced.Length + onTrial.Length > 0)
            {
                yield return (
                    enforced.Length == 0 ? null : Rules(enforced, does, isHttp, NameOf),
                    onTrial.Length == 0 ? null : Rules(onTrial, does, isHttp, NameOf));
            }
        }
    }

    /// <summary>Istio says the one for ALLOW where there is nothing on trial.</summary>
    private static string ShadowPrefix(RBAC? shadow) => shadow?.Action switch
    {
        null or RbacAction.Allow => DryRunAllowPrefix,
        RbacAction.Deny => DryRunDenyPrefix,
        _ => "",
    };
}
