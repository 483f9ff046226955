using System.Net;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters.StatefulSession;

/// <summary>Leads the requests of a session to the endpoint that has answered its first one.</summary>
/// <param name="state">Where the address is kept.</param>
/// <param name="statusWhenMissing">Strict: what a request is answered with when its endpoint may not be picked.</param>
internal sealed class StatefulSessionFilter(SessionState state, HttpStatusCode? statusWhenMissing) : HttpFilter
{
    internal override bool MayReplaceResponse => false;

    public override ValueTask OnRequestAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        if (state.AppliesTo(exchange))
        {
            var address = state.Read(exchange) ?? "";
            exchange.State = address;
            if (address.Length > 0)
            {
                var run = EngineExchange.Of(exchange);
                run.OverrideHost = address;
                run.OverrideHostMissing = statusWhenMissing;
            }
        }

        return ValueTask.CompletedTask;
    }

    public override ValueTask OnResponseAsync(HttpExchange exchange, CancellationToken cancellationToken)
    {
        // Only when it changed: a response that says nothing leaves the caller's session as it is.
        if (exchange.State is string known && EngineExchange.Of(exchange).UpstreamAddress is { } upstream && upstream != known)
        {
            state.Write(exchange, upstream);
        }

        return ValueTask.CompletedTask;
    }
}
