using Mesh.Filters;
using FilterMessages = Envoy.Extensions.Filters.Http.Cors.V3;

namespace Mesh.DataPlane.Filters.Cors;

/// <summary>Envoy's <c>envoy.filters.http.cors</c>: does nothing where no level has a policy.</summary>
internal sealed class CorsFilterType() : FilterType<FilterMessages.Cors, FilterMessages.CorsPolicy>(FilterMessages.Cors.Parser, FilterMessages.CorsPolicy.Parser)
{
    private static readonly object NoConfig = new();

    public override HttpFilter? Create(in FilterBinding binding)
    {
        // The most specific first. The fields of routes count only where no filter configuration does.
        CorsPolicy[] policies = binding.RouteConfigs.Count > 0
            ? [.. binding.RouteConfigs.Cast<CorsPolicy>().Reverse()]
            : [.. binding.Route?.LegacyCors ?? []];
        return policies.Length > 0 ? new CorsFilter(policies, binding.Services.Random) : null;
    }

    protected override object Compile(FilterMessages.Cors message, string path, ICollection<string> notes) => NoConfig;

    protected override object CompileRoute(FilterMessages.CorsPolicy message, string path, ICollection<string> notes)
        => CorsCompiler.Compile(message, path, notes);
}
