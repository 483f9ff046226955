using System.Reflection;
using System.Runtime.CompilerServices;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Redirects;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Upstream;
using Mesh.Filters;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Filters;

/// <summary>The filters of one route in the listener's order; a place is empty where the filter is off or has nothing to do.</summary>
internal sealed partial class FilterChain(FilterChains owner, HttpFilter?[] filters, string[] names, ILogger logger)
{
    public HttpFilter?[] Filters { get; } = filters;

    /// <summary>The names of all filters of the listener, by their places.</summary>
    public IReadOnlyList<string> Names => names;

    /// <summary>Some filter wants to see responses.</summary>
    public bool ObservesResponses { get; } = filters.Any(f => f is not null && Overrides(f, nameof(HttpFilter.OnResponseAsync)));

    /// <summary>Some filter wants to know when an exchange is over.</summary>
    public bool ObservesEnds { get; } = filters.Any(f => f is not null && Overrides(f, nameof(HttpFilter.OnEnd)));

    /// <summary>Some filter may put another response in place of the one that it sees, or let its body run through something.</summary>
    public bool MayReplaceResponses { get; } = filters.Any(f => f is { MayReplaceResponse: true } && Overrides(f, nameof(HttpFilter.OnResponseAsync)));

    /// <summary>Lets a request that has been routed pass the filters, be carried out, and its response pass them in reverse.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<HttpResponseMessage> SendAsync(
        IFilterTerminal terminal,
        HostEntry host,
        HttpRequestMessage request,
        ulong draw,
        Decision decision,
        RequestRecord? record,
        CancellationToken cancellationToken)
    {
        var run = ClientExchange.Begin(host, request, draw, decision, record);
        var exchange = run.Exchange;
        run.Time = owner.Time;
        exchange.Begin(names.Length);

        // The filters that have seen the request: a cleared route may have brought another chain in between.
        var seen = System.Buffers.ArrayPool<HttpFilter?>.Shared.Rent(names.Length);
        Array.Clear(seen, 0, names.Length);
        InternalRedirect? redirect;
        try
        {
            // 1. The request, in the listener's order.
            var chain = this;
            for (var i = 0; i < names.Length && chain is not null; i++)
            {
                if (chain.Filters[i] is not { } filter)
                {
                    continue;
                }

                seen[i] = filter;
                exchange.Position = i;
                try
                {
                    await filter.OnRequestAsync(exchange, cancellationToken).ConfigureAwait(false);
                }
                catch (Exception e) when (IsFailureOfFilter(e, run, cancellationToken))
                {
                    exchange.PendingReply = Failed(i, e);
                }

                if (exchange.PendingReply is not null)
                {
                    break;
                }

                if (exchange.IsRouteCleared)
                {
                    exchange.IsRouteCleared = false;
                    run.Decision = terminal.Route(run);
                    chain = owner.Of(run.Decision.Route?.Policy.FilterConfigs, run.Decision.Choice?.FilterConfigs);
                }
            }

            // 2. The answer: a filter's, or whatever the router makes of it.
            if (exchange.PendingReply is { } reply)
            {
                exchange.PendingReply = null;
                run.Reply(reply, terminal);
            }
            else
            {
                run.Response = await terminal.ForwardAsync(run, cancellationToken).ConfigureAwait(false);
            }

            // 3. The response, in reverse; one that is followed up is nobody's.
            redirect = run.Redirect;
            for (var i = names.Length - 1; i >= 0 && redirect is null; i--)
            {
                if ((seen[i] ?? chain?.Filters[i]) is not { } filter)
                {
                    continue;
                }

                exchange.Position = i;
                try
                {
                    await filter.OnResponseAsync(exchange, cancellationToken).ConfigureAwait(false);
                }
                catch (Exception e) when (IsFailureOfFilter(e, run, cancellationToken))
                {
                    exchange.PendingReply = Failed(i, e);
                }

                if (exchange.PendingReply is { } late)
                {
                    exchange.PendingReply = null;
                    run.Reply(late, terminal);
                }
            }

            if (redirect is null)
            {
                return run.Response!;
            }
        }
        catch (Exception e)
        {
            run.Response?.Dispose();
            if (e is OperationCanceledException)
            {
                RequestOutcome.TellGone(request, cancellationToken);
            }

            if (record is not null)
            {
                run.Response = null;
                ClientRecords.Fail(record, cancellationToken);
            }

            throw;
        }
        finally
        {
            for (var i = 0; i < names.Length; i++)
            {
                if (seen[i] is { } filter)
                {
                    End(filter, exchange, i);
                }
            }

            System.Buffers.ArrayPool<HttpFilter?>.Shared.Return(seen, clearArray: true);
            run.End();
        }

        return await terminal.FollowAsync(redirect, request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What is answered in place of a filter's request or response when the filter threw.</summary>
    public FilterReply Failed(int index, Exception e)
    {
        Log.Threw(logger, names[index], e);
        return FilterReplies.FilterThrew(names[index], e.GetType()).ToFilterReply();
    }

    /// <summary>Tells a filter that the exchange is over.</summary>
    public void End(HttpFilter filter, HttpExchange exchange, int index)
    {
        exchange.Position = index;
        try
        {
            filter.OnEnd(exchange);
        }
        catch (Exception e)
        {
            Log.Threw(logger, names[index], e);
        }
    }

    private static bool Overrides(HttpFilter filter, string method)
        => filter.GetType().GetMethod(method, BindingFlags.Instance | BindingFlags.Public)!.DeclaringType != typeof(HttpFilter);

    // Whoever cancels, and whose body cannot be read, gets to know it as without a filter.
    private static bool IsFailureOfFilter(Exception e, ClientExchange run, CancellationToken cancellationToken)
        => !(e is OperationCanceledException && cancellationToken.IsCancellationRequested) && !ReferenceEquals(e, run.BodyFailure);

    private static partial class Log
    {
        [LoggerMessage(2, LogLevel.Error, "The HTTP filter {Filter} threw; its request is answered with 500.")]
        public static partial void Threw(ILogger logger, string filter, Exception exception);
    }
}
