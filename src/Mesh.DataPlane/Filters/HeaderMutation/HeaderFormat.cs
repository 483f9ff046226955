using Mesh.DataPlane.Formatting;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters.HeaderMutation;

/// <summary>The value of a header or a query parameter that is to be set, with Envoy's substitutions.</summary>
internal sealed class HeaderFormat(SubstitutionFormat format)
{
    public string Render(HttpExchange exchange) => format.Literal ?? format.Render(EngineExchange.Of(exchange).Format);
}
