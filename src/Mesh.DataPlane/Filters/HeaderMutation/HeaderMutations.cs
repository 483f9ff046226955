using Mesh.Filters;

namespace Mesh.DataPlane.Filters.HeaderMutation;

/// <summary>One level's <c>Mutations</c>, compiled.</summary>
internal sealed record HeaderMutations(HeaderAction[] Request, QueryParameterAction[] Query, HeaderAction[] Response)
{
    public bool IsEmpty => Request.Length == 0 && Query.Length == 0 && Response.Length == 0;

    public void ApplyToRequest(HttpExchange exchange)
    {
        HeaderAction.Apply(Request, exchange, HeaderSide.Request);
        QueryParameterAction.Apply(Query, exchange);
    }

    public void ApplyToResponse(HttpExchange exchange) => HeaderAction.Apply(Response, exchange, HeaderSide.Response);
}
