using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Inbound.Http;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Upstream;
using Mesh.Identity;
using Mesh.Server.Identity;
using Mesh.Server.Telemetry;
using Microsoft.AspNetCore.Http;

namespace Mesh.Server.Http;

/// <summary>
/// The mesh's way in: whatever comes by a port of the mesh is normalised, routed and passes the filters of the port's listener, before anything of
/// the application sees it. Without a listener it costs one look at the connection.
/// </summary>
internal static class ServerDoor
{
    public static Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<IInboundConnection>() is not { } connection || connection.Http is not { } table)
        {
            return next(context);
        }

        var exchange = ServerExchange.Begin(context, connection.Facts, table);
        FilterChain? chain;
        ValueTask<FilterChain?> passing;
        try
        {
            // 1. What the request is, and where it goes.
            exchange.Record = ServerRecords.Begin(exchange);
            ServerRecords.TakePeer(exchange);
            exchange.Reply = InboundRequest.Prepare(exchange);
            if (exchange.Record is { } record)
            {
                ServerRecords.Prepared(exchange, record);
            }

            chain = null;
            passing = default;
            if (exchange.Reply is null && exchange.FindRoute())
            {
                // 2. The filters; most of them decide at once.
                chain = table.ChainOf(exchange.Route.Route);
                passing = chain is null ? default : InboundFilters.RequestAsync(exchange, chain, context.RequestAborted);
            }
        }
        catch
        {
            exchange.Return();
            throw;
        }

        // 3. The application; nothing of the mesh stays on the way of a request that only had to be let through.
        var isFinished = passing.IsCompletedSuccessfully;
        if (isFinished)
        {
            var inForce = passing.Result;
            Finish(exchange);
            if (exchange.Reply is null && !Stays(exchange, chain, inForce))
            {
                TellOfPeer(exchange);
                exchange.Return();
                return next(context);
            }

            passing = new ValueTask<FilterChain?>(inForce);
        }

        return ServeAsync(exchange, chain, passing, isFinished, next);
    }

    private static async Task ServeAsync(ServerExchange exchange, FilterChain? chain, ValueTask<FilterChain?> passing, bool isFinished, RequestDelegate next)
    {
        var context = exchange.Context;
        var isHeld = false;
        try
        {
            var inForce = await passing.ConfigureAwait(false);
            if (!isFinished)
            {
                Finish(exchange);
            }

            if (exchange.Reply is not null)
            {
                await exchange.ReplyAsync(inForce ?? chain, context.RequestAborted).ConfigureAwait(false);
                return;
            }

            TellOfPeer(exchange);
            if (ChangesResponse(exchange, inForce))
            {
                exchange.Intercept(inForce);
            }

            // Headers may go out after the last middleware has returned.
            context.Response.OnCompleted(static state =>
            {
                var (exchange, chain) = ((ServerExchange, FilterChain?))state;
                End(exchange, chain);
                return Task.CompletedTask;
            }, (exchange, chain));
            isHeld = true;
            try
            {
                await next(context).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                await exchange.EndBodyAsync(e).ConfigureAwait(false);
                throw;
            }

            await exchange.EndBodyAsync(null).ConfigureAwait(false);
        }
        finally
        {
            if (!isHeld)
            {
                End(exchange, chain);
            }
        }
    }

    // What tokens have said is for whoever asks who the caller is.
    private static void TellOfPeer(ServerExchange exchange)
    {
        if (exchange.HasMetadata && exchange.Connection is { } facts && RequestPeerFeature.Of(facts, exchange.Exchange) is { } peer)
        {
            exchange.Context.Features.Set<IMeshPeerFeature>(peer);
        }
    }

    // What Envoy's router does at the end of the chain.
    private static void Finish(ServerExchange exchange)
    {
        Terminate(exchange);
        if (exchange.Record is { } record)
        {
            ServerRecords.Decided(exchange, record);
        }
    }

    private static void Terminate(ServerExchange exchange)
    {
        if (exchange.Reply is not null)
        {
            return;
        }

        switch (exchange.Route.Route?.Action)
        {
            case null:
                exchange.Reply = LocalReply.NoRoute;
                return;
            case RouteAction.Respond respond:
                exchange.Reply = LocalReply.DirectResponse(respond.Status);
                return;
            case RouteAction.RedirectTo { Redirect: var redirect }:
                exchange.Reply = redirect.Location(exchange.Authority, exchange.Scheme, exchange.Path, exchange.Route.Route.Match.Path, exchange.Format) is { } location
                    ? LocalReply.DirectResponse(redirect.Status) with { Headers = [("location", location)] }
                    : LocalReply.InvalidRequest("the address to redirect to");
                return;
            case RouteAction.Unsupported unsupported:
                exchange.Reply = LocalReply.UnsupportedAction(unsupported.Action);
                return;
        }

        exchange.Reply = InboundRequest.CheckStrictly(exchange);
        if (exchange.Reply is null && exchange.Route.Route.Policy.RequestHeaders is { } levels)
        {
            var headers = new MessageHeaderMap(exchange.Context.Request.Headers, isResponse: false);
            foreach (var level in levels)
            {
                if (level.Apply(headers, exchange.Format) is { } refused)
                {
                    exchange.Reply = LocalReply.InvalidRequest($"the header {refused}");
                    return;
                }
            }
        }
    }

    private static bool Stays(ServerExchange exchange, FilterChain? chain, FilterChain? inForce)
        => chain is { ObservesEnds: true } || inForce is { ObservesEnds: true } || ChangesResponse(exchange, inForce);

    private static bool ChangesResponse(ServerExchange exchange, FilterChain? chain)
        => chain is { ObservesResponses: true } || exchange.Table.Settings.ChangesResponses || exchange.Route.Route?.Policy.ResponseHeaders is not null;

    private static void End(ServerExchange exchange, FilterChain? chain)
    {
        if (chain is not null)
        {
            InboundFilters.End(exchange, chain);
        }

        exchange.Return();
    }
}
