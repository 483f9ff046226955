using Mesh.Filters;

namespace Mesh.DataPlane.Filters.HeaderMutation;

/// <summary>Changes the headers of requests and responses, and the query.</summary>
/// <param name="mutations">In the order in which they are applied.</param>
internal sealed class HeaderMutationFilter(HeaderMutations[] mutations) : HttpFilter
{
    internal override bool MayReplaceResponse => false;

    public override ValueTask OnRequestAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        foreach (var level in mutations)
        {
            level.ApplyToRequest(exchange);
        }

        return ValueTask.CompletedTask;
    }

    public override ValueTask OnResponseAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        foreach (var level in mutations)
        {
            level.ApplyToResponse(exchange);
        }

        return ValueTask.CompletedTask;
    }
}
