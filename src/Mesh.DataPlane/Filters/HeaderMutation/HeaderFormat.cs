using Mesh.Filters;

namespace Mesh.DataPlane.Filters.HeaderMutation;

/// <summary>The value of a header that is to be set.</summary>
internal sealed class HeaderFormat(string literal)
{
    public string Render(HttpExchange exchange) => literal;
}
