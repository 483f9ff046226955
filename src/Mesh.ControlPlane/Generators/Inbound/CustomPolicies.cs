using Envoy.Config.Listener.V3;
using Envoy.Config.Rbac.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf.WellKnownTypes;
using Istio.Security.V1Beta1;
using Mesh.ControlPlane.Generators.Authorization;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Model.Policies;
using Action = Istio.Security.V1Beta1.AuthorizationPolicy.Types.Action;
using HttpRbac = Envoy.Extensions.Filters.Http.Rbac.V3.RBAC;
using NetworkRbac = Envoy.Extensions.Filters.Network.Rbac.V3.RBAC;
using RbacAction = Envoy.Config.Rbac.V3.RBAC.Types.Action;

namespace Mesh.ControlPlane.Generators.Inbound;

/// <summary>
/// Policies that leave the decision to somebody else (<c>CUSTOM</c>): rules that only mark what they match, and the filter that asks about what is
/// marked. Whose provider cannot be asked, denies whatever they match, under the names that Istio gives such rules; so do policies of several
/// providers, and policies on connections that are not HTTP whose provider is asked by HTTP: Istio lets these pass.
/// </summary>
internal static class CustomPolicies
{
    public const string FilterName = "envoy.filters.http.ext_authz";

    public const string NetworkFilterName = "envoy.filters.network.ext_authz";

    private const string NamePrefix = "istio-ext-authz";
    private const string BadSuffix = "-deny-due-to-bad-CUSTOM-action";
    private const string TcpStatPrefix = "tcp.";
    private const string ShadowPrefix = "istio_ext_authz_";

    /// <summary>The key under which the shadow rules tell which of them has matched.</summary>
    private const string EffectivePolicy = ShadowPrefix + "shadow_effective_policy_id";

    /// <summary>For requests.</summary>
    public static IEnumerable<HttpFilter> HttpFilters(Proxy proxy, ConfigIndex config, WorkloadPolicies policies, AuthorizationTranslator authorization)
    {
        var providers = ByProvider(policies).ToArray();
        foreach (var group in providers)
        {
            if (providers.Length > 1
                || ExtAuthzProviders.Find(config.Mesh.Config, group.Key) is not { } provider
                || ExtAuthzProviders.ServiceOf(proxy, config, provider) is not { } service)
            {
                yield return Rbac(new HttpRbac { Rules = Denied(group, authorization, isHttp: true) });
                continue;
            }

            yield return Rbac(new HttpRbac { ShadowRules = authorization.Rules(group, RbacAction.Deny, isHttp: true, NameOf), ShadowRulesStatPrefix = ShadowPrefix });

            var marked = Marked(AuthorizationTranslator.HttpFilterName, group.Key);
            yield return new HttpFilter
            {
                Name = FilterName,
                TypedConfig = Any.Pack(ExtAuthzTranslator.Translate(provider, ExtAuthzProviders.KeyOf(provider, service), service.Host, marked)),
            };
        }

        static HttpFilter Rbac(HttpRbac rules) => new() { Name = AuthorizationTranslator.HttpFilterName, TypedConfig = Any.Pack(rules) };
    }

    /// <summary>The services that are asked about a workload's requests.</summary>
    public static IEnumerable<(MeshService Service, SubsetKey Key)> Asked(Proxy proxy, ConfigIndex config, WorkloadPolicies policies)
    {
        foreach (var group in ByProvider(policies))
        {
            if (ExtAuthzProviders.Find(config.Mesh.Config, group.Key) is { } provider && ExtAuthzProviders.ServiceOf(proxy, config, provider) is { } service)
            {
                yield return (service, ExtAuthzProviders.KeyOf(provider, service));
            }
        }
    }

    /// <summary>For connections that are not HTTP.</summary>
    public static IEnumerable<Filter> NetworkFilters(Proxy proxy, ConfigIndex config, WorkloadPolicies policies, AuthorizationTranslator authorization)
    {
        var providers = ByProvider(policies).ToArray();
        foreach (var group in providers)
        {
            if (providers.Length > 1
                || ExtAuthzProviders.Find(config.Mesh.Config, group.Key) is not { EnvoyExtAuthzGrpc: not null } provider
                || ExtAuthzProviders.ServiceOf(proxy, config, provider) is not { } service)
            {
                yield return Rbac(new NetworkRbac { Rules = Denied(group, authorization, isHttp: false), StatPrefix = TcpStatPrefix });
                continue;
            }

            yield return Rbac(new NetworkRbac
            {
                ShadowRules = authorization.Rules(group, RbacAction.Deny, isHttp: false, NameOf),
                ShadowRulesStatPrefix = ShadowPrefix,
                StatPrefix = TcpStatPrefix,
            });
            yield return new Filter
            {
                Name = NetworkFilterName,
                TypedConfig = Any.Pack(ExtAuthzTranslator.TranslateForConnections(
                    provider, ExtAuthzProviders.KeyOf(provider, service), service.Host, TcpStatPrefix, Marked(AuthorizationTranslator.NetworkFilterName, group.Key))),
            };
        }

        static Filter Rbac(NetworkRbac rules) => new() { Name = AuthorizationTranslator.NetworkFilterName, TypedConfig = Any.Pack(rules) };
    }

    /// <summary>The policies of each provider, by its name.</summary>
    public static IEnumerable<IGrouping<string, PolicyRule<AuthorizationPolicy>>> ByProvider(WorkloadPolicies policies)
        => policies.Of(Action.Custom).Where(policy => !DryRun.IsOn(policy.Source)).GroupBy(policy => policy.Spec.Provider?.Name ?? "").OrderBy(group => group.Key, StringComparer.Ordinal);

    /// <summary>Istio's name of a rule whose decision is a provider's.</summary>
    public static string NameOf(PolicyRule<AuthorizationPolicy> policy, int rule)
        => $"{NamePrefix}-{(policy.Spec.Provider is { Name.Length: > 0 } provider ? provider.Name + "-" : "")}{AuthorizationTranslator.NameOf(policy, rule)}";

    // What the shadow rules of the filter before have matched.
    private static MetadataMatcher Marked(string filter, string provider)
        => MetadataMatchers.Of(filter, [EffectivePolicy], new ValueMatcher { StringMatch = new StringMatcher { Prefix = $"{NamePrefix}-{provider}" } });

    private static RBAC Denied(IEnumerable<PolicyRule<AuthorizationPolicy>> policies, AuthorizationTranslator authorization, bool isHttp)
        => authorization.Rules(policies, RbacAction.Deny, isHttp, (policy, rule) => NameOf(policy, rule) + BadSuffix);
}
