using System.Runtime.CompilerServices;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Upstream;
using Mesh.Filters;

namespace Mesh.DataPlane.Inbound.Http;

/// <summary>Lets a request that has come in, and then its response, pass the filters of its listener.</summary>
internal static class InboundFilters
{
    /// <summary>The request, in the listener's order. Leaves in <see cref="InboundExchange.Reply"/> what some filter has answered.</summary>
    /// <returns>The chain in force at the end: a filter that changes the request may have it routed anew.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<FilterChain?> RequestAsync(InboundExchange run, FilterChain first, CancellationToken cancellationToken)
    {
        var exchange = run.Exchange;
        var names = first.Names;
        exchange.Begin(names.Count);
        run.Seen(names.Count);
        FilterChain? chain = first;
        for (var i = 0; i < names.Count && chain is not null; i++)
        {
            if (chain.Filters[i] is not { } filter)
            {
                continue;
            }

            run.Seen(names.Count)[i] = filter;
            exchange.Position = i;
            try
            {
                await filter.OnRequestAsync(exchange, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (!IsOfCaller(e, run, cancellationToken))
            {
                exchange.PendingReply = chain.Failed(i, e);
            }

            if (TakeReply(run))
            {
                break;
            }

            if (exchange.IsRouteCleared)
            {
                exchange.IsRouteCleared = false;
                if (!run.FindRoute())
                {
                    break;
                }

                chain = run.Table.ChainOf(run.Route.Route);
            }
        }

        return chain;
    }

    /// <summary>The response, in reverse; a reply of a filter or of the mesh passes as well.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public static async ValueTask ResponseAsync(InboundExchange run, FilterChain chain, CancellationToken cancellationToken)
    {
        var exchange = run.Exchange;
        var count = chain.Names.Count;
        exchange.Begin(count);
        for (var i = count - 1; i >= 0; i--)
        {
            if ((run.Seen(count)[i] ?? chain.Filters[i]) is not { } filter)
            {
                continue;
            }

            exchange.Position = i;
            try
            {
                await filter.OnResponseAsync(exchange, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (!IsOfCaller(e, run, cancellationToken))
            {
                exchange.PendingReply = chain.Failed(i, e);
            }

            if (TakeReply(run))
            {
                run.ReplaceResponse();
            }
        }
    }

    /// <summary>Tells every filter that has seen the request that it is over.</summary>
    public static void End(InboundExchange run, FilterChain chain)
    {
        var count = chain.Names.Count;
        for (var i = 0; i < count; i++)
        {
            if (run.Seen(count)[i] is { } filter)
            {
                chain.End(filter, run.Exchange, i);
            }
        }
    }

    private static bool IsOfCaller(Exception e, InboundExchange run, CancellationToken cancellationToken)
        => (e is OperationCanceledException && cancellationToken.IsCancellationRequested) || ReferenceEquals(e, run.BodyFailure);

    private static bool TakeReply(InboundExchange run)
    {
        if (run.Exchange.PendingReply is not { } reply)
        {
            return false;
        }

        run.Exchange.PendingReply = null;
        run.Exchange.SentReply = reply;
        run.Reply = LocalReply.Of(reply);
        return true;
    }
}
