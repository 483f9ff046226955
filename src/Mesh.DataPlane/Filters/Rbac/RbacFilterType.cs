using Envoy.Extensions.Filters.Http.Rbac.V3;
using Mesh.Filters;
using Mesh.Xds.Client;
using Rules = Envoy.Config.Rbac.V3.RBAC;

namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>Envoy's <c>envoy.filters.http.rbac</c>: a route's configuration takes the place of the listener's.</summary>
/// <param name="ignoresPathCase">Paths are compared as ASP.NET Core's routing compares them.</param>
internal sealed class RbacFilterType(bool ignoresPathCase = false) : FilterType<RBAC, RBACPerRoute>(RBAC.Parser, RBACPerRoute.Parser)
{
    public override HttpFilter? Create(in FilterBinding binding)
    {
        var settings = binding.RouteConfigs.Count > 0 ? ((RbacRoute)binding.RouteConfigs[^1]).Settings : (RbacSettings)binding.Config;
        return settings is null or { DoesNothing: true } ? null : new RbacFilter(settings, binding);
    }

    protected override object Compile(RBAC message, string path, ICollection<string> notes) => Settings(message, path, notes);

    protected override object CompileRoute(RBACPerRoute message, string path, ICollection<string> notes)
        => new RbacRoute(message.Rbac is { } rbac ? Settings(rbac, path + ".rbac", notes) : null);

    private RbacSettings Settings(RBAC message, string path, ICollection<string> notes)
        => new(
            Engine(message.Rules, message.Matcher, path, "rules", "matcher", notes),
            Engine(message.ShadowRules, message.ShadowMatcher, path, "shadow_rules", "shadow_matcher", notes),
            message.RulesStatPrefix,
            message.ShadowRulesStatPrefix,
            message.TrackPerRuleStats);

    private RbacEngine? Engine(Rules? rules, global::Xds.Type.Matcher.V3.Matcher? matcher, string path, string rulesField, string matcherField, ICollection<string> notes)
    {
        if (matcher is not null)
        {
            // Envoy takes the matcher and drops the rules; whoever has written both meant something by both.
            return rules is null
                ? RbacMatcherCompiler.Compile(matcher, isHttp: true, $"{path}.{matcherField}")
                : throw new ResourceRejectedException($"{path}.{matcherField}", $"must not be set beside {rulesField}");
        }

        return rules is null ? null : RbacCompiler.Compile(rules, isHttp: true, $"{path}.{rulesField}", notes, ignoresPathCase);
    }
}
