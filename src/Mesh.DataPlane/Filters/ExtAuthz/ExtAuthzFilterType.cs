using Envoy.Extensions.Filters.Http.ExtAuthz.V3;
using Mesh.Filters;
using Message = Envoy.Extensions.Filters.Http.ExtAuthz.V3.ExtAuthz;

namespace Mesh.DataPlane.Filters.ExtAuthz;

/// <summary>Envoy's <c>envoy.filters.http.ext_authz</c>.</summary>
internal sealed class ExtAuthzFilterType() : FilterType<Message, ExtAuthzPerRoute>(Message.Parser, ExtAuthzPerRoute.Parser)
{
    public override IEnumerable<string> ClustersOf(object config)
        => config switch
        {
            ExtAuthzSettings settings => [settings.Authorizer.Cluster],
            ExtAuthzRoute { Authorizer: { } authorizer } => [authorizer.Cluster],
            _ => [],
        };

    public override HttpFilter? Create(in FilterBinding binding)
    {
        ExtAuthzRoute[] routes = [.. binding.RouteConfigs.Cast<ExtAuthzRoute>()];
        return routes is [.., { Disabled: true }] ? null : new ExtAuthzFilter((ExtAuthzSettings)binding.Config, routes, binding);
    }

    protected override object Compile(Message message, string path, ICollection<string> notes) => ExtAuthzCompiler.Compile(message, path, notes);

    protected override object CompileRoute(ExtAuthzPerRoute message, string path, ICollection<string> notes) => ExtAuthzCompiler.Compile(message, path, notes);
}
