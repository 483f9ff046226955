using Envoy.Config.Listener.V3;
using Envoy.Config.Rbac.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf.WellKnownTypes;
using Istio.Security.V1Beta1;
using Mesh.ControlPlane.Generators.Authorization;
using Mesh.ControlPlane.Model.Policies;
using Action = Istio.Security.V1Beta1.AuthorizationPolicy.Types.Action;
using HttpRbac = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;
using NetworkRbac = Envoy.Extensions.Filters.Network.Rbac.V3.RBAC;
using RbacAction = Envoy.Config.Rbac.V3.RBAC.Types.Action;

namespace Mesh.ControlPlane.Generators.Inbound;

/// <summary>
/// Policies that leave the decision to somebody else (<c>CUSTOM</c>). Whose provider cannot be asked, denies whatever they match, under the names that
/// Istio gives such rules.
/// </summary>
internal static class CustomPolicies
{
    private const string NamePrefix = "istio-ext-authz";
    private const string BadSuffix = "-deny-due-to-bad-CUSTOM-action";
    private const string TcpStatPrefix = "tcp.";

    /// <summary>For requests.</summary>
    public static IEnumerable<HttpFilter> HttpFilters(WorkloadPolicies policies, AuthorizationTranslator authorization)
        => ByProvider(policies)
            .Select(group => Denied(group, authorization, isHttp: true))
            .Select(rules => new HttpFilter { Name = AuthorizationTranslator.HttpFilterName, TypedConfig = Any.Pack(new HttpRbac { Rules = rules }) });

    /// <summary>For connections that are not HTTP.</summary>
    public static IEnumerable<Filter> NetworkFilters(WorkloadPolicies policies, AuthorizationTranslator authorization)
        => ByProvider(policies)
            .Select(group => Denied(group, authorization, isHttp: false))
            .Select(rules => new Filter { Name = AuthorizationTranslator.NetworkFilterName, TypedConfig = Any.Pack(new NetworkRbac { Rules = rules, StatPrefix = TcpStatPrefix }) });

    /// <summary>The policies of each provider, by its name.</summary>
    public static IEnumerable<IGrouping<string, PolicyRule<AuthorizationPolicy>>> ByProvider(WorkloadPolicies policies)
        => policies.Of(Action.Custom).Where(policy => !DryRun.IsOn(policy.Source)).GroupBy(policy => policy.Spec.Provider?.Name ?? "").OrderBy(group => group.Key, StringComparer.Ordinal);

    /// <summary>Istio's name of a rule whose decision is a provider's.</summary>
    public static string NameOf(PolicyRule<AuthorizationPolicy> policy, int rule)
        => $"{NamePrefix}-{(policy.Spec.Provider is { Name.Length: > 0 } provider ? provider.Name + "-" : "")}{AuthorizationTranslator.NameOf(policy, rule)}";

    private static RBAC Denied(IEnumerable<PolicyRule<AuthorizationPolicy>> policies, AuthorizationTranslator authorization, bool isHttp)
        => authorization.Rules(policies, RbacAction.Deny, isHttp, (policy, rule) => NameOf(policy, rule) + BadSuffix);
}
