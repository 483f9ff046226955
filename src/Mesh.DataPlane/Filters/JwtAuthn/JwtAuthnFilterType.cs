using Envoy.Extensions.Filters.Http.JwtAuthn.V3;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>Envoy's <c>envoy.filters.http.jwt_authn</c>.</summary>
internal sealed class JwtAuthnFilterType() : FilterType<JwtAuthentication, PerRouteConfig>(JwtAuthentication.Parser, PerRouteConfig.Parser)
{
    public override HttpFilter? Create(in FilterBinding binding)
    {
        var route = binding.RouteConfigs.Count > 0 ? (JwtAuthnRoute)binding.RouteConfigs[^1] : null;
        return route is { RequirementName: null } ? null : new JwtAuthnFilter((JwtAuthnSettings)binding.Config, route, binding.Services);
    }

    protected override object Compile(JwtAuthentication message, string path, ICollection<string> notes) => JwtAuthnCompiler.Compile(message, path, notes);

    protected override object CompileRoute(PerRouteConfig message, string path, ICollection<string> notes) => JwtAuthnCompiler.Compile(message, path);
}
