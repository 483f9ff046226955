using Envoy.Extensions.Filters.Http.JwtAuthn.V3;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>Envoy's <c>envoy.filters.http.jwt_authn</c>.</summary>
internal sealed class JwtAuthnFilterType() : FilterType<JwtAuthentication, PerRouteConfig>(JwtAuthentication.Parser, PerRouteConfig.Parser)
{
    public override IEnumerable<string> ClustersOf(object config) => Remote(config).Select(r => r.Cluster);

    public override IFilterPreparation? Prepare(object config, FilterServices services, Action ready)
        => Remote(config).Any() ? new JwksPreparation(Remote(config), services, ready) : null;

    public override HttpFilter? Create(in FilterBinding binding)
    {
        var route = binding.RouteConfigs.Count > 0 ? (JwtAuthnRoute)binding.RouteConfigs[^1] : null;
        return route is { RequirementName: null } ? null : new JwtAuthnFilter((JwtAuthnSettings)binding.Config, route, new JwtAuthnCounters(binding), binding.Services);
    }

    private static IEnumerable<RemoteJwksSettings> Remote(object config)
        => config is JwtAuthnSettings settings ? settings.Providers.Select(p => p.Keys).OfType<RemoteKeys>().Select(k => k.Settings) : [];

    protected override object Compile(JwtAuthentication message, string path, ICollection<string> notes) => JwtAuthnCompiler.Compile(message, path, notes);

    protected override object CompileRoute(PerRouteConfig message, string path, ICollection<string> notes) => JwtAuthnCompiler.Compile(message, path);
}
