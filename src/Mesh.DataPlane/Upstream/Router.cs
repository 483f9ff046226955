using System.Runtime.CompilerServices;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Explaining;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Mirroring;
using Mesh.DataPlane.OriginalDst;
using Mesh.DataPlane.Outbound;
using Mesh.DataPlane.Redirects;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.DataPlane.Timeouts;

namespace Mesh.DataPlane.Upstream;

/// <summary>Envoy's router: decides, sends, tries again where the route says so, and ends the request when its response has ended.</summary>
internal sealed class Router : IUpstream, IFilterTerminal
{
    // However often the routes move on below a request, it does not go round for ever.
    private const int MaxTurns = 8;

    private readonly DecisionMaker _decisions;
    private readonly HeaderClusters _headerClusters;
    private readonly HostDirectory _hosts;
    private readonly OutboundPolicy _outbound;
    private readonly IRandomSource _random;
    private readonly IDecisionObserver? _observer;
    private readonly TimeProvider _time;
    private readonly AttemptSender _attempts;
    private readonly MirrorSender _mirrors;
    private readonly RetryPipeline _retries;
    private readonly HedgePipelines _hedges;
    private readonly InternalRedirector _redirector;

    public Router(
        DecisionMaker decisions,
        HeaderClusters headerClusters,
        HostDirectory hosts,
        OutboundPolicy outbound,
        IRandomSource random,
        TimeProvider time,
        IDecisionObserver? observer,
        BackOffTime? backOff = null,
        OwnMetadata? metadata = null)
    {
        _decisions = decisions;
        _headerClusters = headerClusters;
        _hosts = hosts;
        _outbound = outbound;
        _random = random;
        _observer = observer;
        _time = time;
        _attempts = new AttemptSender(time, observer, metadata);
        _mirrors = new MirrorSender(new AttemptSender(time, observer: null, metadata), headerClusters, time);
        _retries = new RetryPipeline(time, backOff);
        _hedges = new HedgePipelines(time);
        _redirector = new InternalRedirector(hosts, decisions);
    }

    /// <summary>The copies that routes send elsewhere.</summary>
    public MirrorSender Mirrors => _mirrors;

    /// <summary>What has become of redirects that routes want followed.</summary>
    public InternalRedirectStats Redirects => _redirector.Stats;

    public ValueTask<HttpResponseMessage> SendAsync(HostEntry host, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        RequestOutcome.Forget(request);
        var record = ClientRecords.Begin(host, request);
        if (RequestTarget.BreaksRequestLine(request.RequestUri!.PathAndQuery))
        {
            return ValueTask.FromResult(Reply(LocalReply.InvalidTarget, request, record));
        }

        var draw = _random.NextUInt64();
        var input = AttemptInput.Rent();
        input.Decision = Route(host, request, draw);
        _observer?.OnRouted(request);
        if (input.Decision.Host.ChainOf(input.Decision) is { } chain)
        {
            var routed = input.Decision;
            input.Return();
            return chain.SendAsync(this, host, request, draw, routed, record, cancellationToken);
        }

        input.Record = record;

        return ForwardAsync(input, host, request, draw, exchange: null, turn: 0, cancellationToken);
    }

    /// <summary>Carries out what has been decided elsewhere than by a host's routes, past all filters.</summary>
    public ValueTask<HttpResponseMessage> ForwardAsync(HostEntry host, in Decision decision, HttpRequestMessage request, ulong draw, CancellationToken cancellationToken)
    {
        var input = AttemptInput.Rent();
        input.Decision = decision;
        return ForwardAsync(input, host, request, draw, exchange: null, turn: 0, cancellationToken);
    }

    Decision IFilterTerminal.Route(ClientExchange exchange) => _decisions.Route(exchange.HostState, exchange.View, exchange.Draw);

    ValueTask<HttpResponseMessage> IFilterTerminal.ForwardAsync(ClientExchange exchange, CancellationToken cancellationToken)
    {
        var input = AttemptInput.Rent();
        input.Decision = exchange.Decision;
        if (exchange.Record is { } record)
        {
            // Until the filters have seen the response, and until it has ended.
            record.Hold();
            input.Record = record;
        }

        return ForwardAsync(input, exchange.Host, exchange.Request, exchange.Draw, exchange, turn: 0, cancellationToken);
    }

    ValueTask<HttpResponseMessage> IFilterTerminal.FollowAsync(InternalRedirect redirect, HttpRequestMessage request, CancellationToken cancellationToken)
        => FollowAsync(redirect, request, cancellationToken);

    void IFilterTerminal.OnReplied(ClientExchange exchange, LocalReply reply)
    {
        if (exchange.Response is null)
        {
            _observer?.OnDecided(exchange.Host, exchange.Request, exchange.Draw, exchange.Decision with { Endpoint = null, Reply = reply });
        }

        _observer?.OnReplied(exchange.Request, reply);
    }

    // The way out belongs to whoever carries the input out.
    private ValueTask<HttpResponseMessage> ForwardAsync(
        AttemptInput input, HostEntry host, HttpRequestMessage request, ulong draw, ClientExchange? exchange, int turn, CancellationToken cancellationToken)
    {
        input.Host = host;
        input.Request = request;
        input.Pick = new PickContext(draw);
        input.Exchange = exchange;
        input.Turn = turn;
        return new ValueTask<HttpResponseMessage>(
            input.Decision.ClusterHeader is null ? CarryOutAsync(input, cancellationToken) : ResolveAndCarryOutAsync(input, cancellationToken));
    }

    /// <summary>What comes after route and filters: the attempts, and the response or reply that they come to.</summary>
    // The door hands this task on as it is: the only frame that a request allocates. What it knows of the request it keeps in the input, and what is
    // seldom awaited is awaited elsewhere, so that it is small.
    private async Task<HttpResponseMessage> CarryOutAsync(AttemptInput input, CancellationToken cancellationToken)
    {
        if (input.Decision.Reply is { } reply)
        {
            _observer?.OnDecided(input.Host, input.Request, input.Pick.Draw, input.Decision);
            return Reply(reply, input);
        }

        // 1. What the request carries of trace and id, what the route makes of it, and what route and headers ask.
        if (input.Record is { Signals.Tracer: { } injector } traced)
        {
            injector.Inject(traced, input);
        }

        if (OutgoingMessage.Edit(input, _time) is { } refusal)
        {
            input.Injected?.Undo(input.Request);
            return Reply(refusal, input);
        }

        try
        {
            Prepare(input);

            // 2. The first attempt, and the others if it failed for a reason that allows them.
            await (input.Plan.IsHedged || input.Decision.Cluster!.Current.Destinations is not null
                ? LocateAndSendAsync(input, cancellationToken)
                : SteerAndSendAsync(input, cancellationToken)).ConfigureAwait(false);
            input.IsStale = input.Result.Failure == AttemptFailure.Stale && input.Turn < MaxTurns;
            if (!input.IsHedged && input.Record is { Signals.Tracer: { } tracer } record)
            {
                tracer.OnAttempt(record, input.Result, number: 1);
            }

            if (!input.IsHedged && input.Plan.Retry is not null && RetryConditions.IsRetriable(input.Plan, input.Result))
            {
                await RetryAsync(input, cancellationToken).ConfigureAwait(false);
                input.IsStale = input.Result.Failure == AttemptFailure.Stale && input.Turn < MaxTurns;
            }

            // 3. The response, or the reply for its want; a redirect may be for this place to follow.
            if (input.Decision.Route!.Policy.InternalRedirect is { } redirects && input.Result.Response is { } moved && redirects.Follows(moved.StatusCode))
            {
                await RedirectAsync(input, redirects, cancellationToken).ConfigureAwait(false);
            }

            if (!input.IsStale && input.Redirect is null)
            {
                return Conclusion.Of(input, _time, _observer);
            }
        }
        catch (Exception e) when (IsLost(e, input, cancellationToken))
        {
            throw;
        }
        finally
        {
            OutgoingMessage.Restore(input);
        }

        // 4. Not over yet.
        return await GoOnAsync(input, cancellationToken).ConfigureAwait(false);
    }

    // Whatever the caller's content throws when it is looked at.
    private void Prepare(AttemptInput input)
    {
        var request = input.Request;
        var route = input.Decision.Route!;
        var policy = route.Policy;
        var plan = input.Plan = AttemptPlan.Of(
            route, input.Decision.Cluster!.Current.Policy?.Requests, input.Decision.Host.Settings, request, ControlHeaders.Take(request));
        if (!input.Decision.Host.Settings.SuppressEnvoyHeaders)
        {
            input.Began = input is { Exchange: null, Record: { } record } ? record.Began : _time.GetTimestamp();
        }

        if (plan.ExpectedTimeout > TimeSpan.Zero)
        {
            ExpectedTimeout.Save(input);
        }

        // Copies without a body leave at once, and stay the only ones if the decision turns out stale.
        input.Mirrored = route.Mirrors is null || (input.Turn > 0 && request.Content is null)
            ? null
            : _mirrors.Begin(input.Host, input.Decision, request, plan.RouteTimeout, input.Pick.Draw, input.Record);
        input.Body = OutgoingBody.Watch(
            request, plan.Retry is not null || policy.InternalRedirect is not null, plan.HasClock, policy.BufferLimit, input.Mirrored is not null, input.Record?.Time, input.Record is { IsGrpc: true });
        if (input.Body is null)
        {
            input.Mirrored?.Finish(null);
        }
    }

    private ValueTask SteerAndSendAsync(AttemptInput input, CancellationToken cancellationToken)
    {
        RequestSteering.Steer(input);
        return _attempts.SendAsync(input, cancellationToken);
    }

    private async ValueTask LocateAndSendAsync(AttemptInput input, CancellationToken cancellationToken)
    {
        if (input.Decision.Cluster!.Current.Destinations is { } destinations)
        {
            input.Decision = await RequestDestination.OfAsync(destinations, input.Decision, input.Request, input.Exchange?.Exchange, cancellationToken).ConfigureAwait(false);
        }

        if (!input.Plan.IsHedged || (input.Body?.Inner is not null && OutgoingBody.Share(input.Body) is null))
        {
            await SteerAndSendAsync(input, cancellationToken).ConfigureAwait(false);
            return;
        }

        RequestSteering.Steer(input);
        input.IsHedged = true;
        var hedged = new HedgedRequest(_attempts, _time, input, input.Request.Content);
        input.Result = await _hedges.RunAsync(hedged, cancellationToken).ConfigureAwait(false);
        input.Attempts = hedged.Attempts;
    }

    private async ValueTask RetryAsync(AttemptInput input, CancellationToken cancellationToken)
    {
        var retried = input.Retried = new RetriedRequest(_attempts, _time, input, input.Result, cancellationToken);
        input.Result = await _retries.RunAsync(retried).ConfigureAwait(false);
        input.Attempts = retried.Attempts;
    }

    private async ValueTask RedirectAsync(AttemptInput input, InternalRedirectPolicy policy, CancellationToken cancellationToken)
        => input.Result = await _redirector.TryFollowAsync(policy, input, input.Result, cancellationToken).ConfigureAwait(false);

    private async Task<HttpResponseMessage> GoOnAsync(AttemptInput input, CancellationToken cancellationToken)
    {
        if (input.Redirect is not { } redirect)
        {
            // What a retry has found stale has gone out before: only what was kept of the body can go out again.
            var body = input.Retried is null || OutgoingBody.IsRepeatable(input.Body?.Inner) ? null : input.Body;
            input.Request.Content = body ?? input.Request.Content;
            try
            {
                return await RouteAgainAsync(input, input.Turn + 1, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                input.Request.Content = body?.Inner ?? input.Request.Content;
            }
        }

        if (input.Record is { } record)
        {
            ClientRecords.Redirect(input, record, redirect.Response);
        }

        if (input.Exchange is not { } exchange)
        {
            return await FollowAsync(redirect, input.Request, cancellationToken).ConfigureAwait(false);
        }

        // The filters see the request that follows as a new one, and of the redirect nothing.
        exchange.Redirect = redirect;
        return redirect.Response;
    }

    private async ValueTask<HttpResponseMessage> FollowAsync(InternalRedirect redirect, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await SendAsync(redirect.Host, redirect.Request, cancellationToken).ConfigureAwait(false);
        RequestOutcome.Pass(redirect.Request, request);
        response.RequestMessage = request;
        return response;
    }

    private async Task<HttpResponseMessage> ResolveAndCarryOutAsync(AttemptInput input, CancellationToken cancellationToken)
    {
        var routed = input.Decision;
        Cluster? cluster;
        try
        {
            cluster = await _headerClusters.ResolveAsync(routed.ClusterHeader!, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception) when (ClientRecords.Fail(input, cancellationToken))
        {
            throw;
        }

        input.Decision = cluster is null || cluster.Current.Status == ClusterStatus.Pending
            ? new Decision { Host = routed.Host, Route = routed.Route, Reply = LocalReply.NoCluster(routed.Route!.Action.NotFound) }
            : new Decision { Host = routed.Host, Route = routed.Route, Cluster = cluster };
        return await CarryOutAsync(input, cancellationToken).ConfigureAwait(false);
    }

    // The routes have moved on, or the host was idle for long and is needed after all. The filters have seen the request already.
    private async ValueTask<HttpResponseMessage> RouteAgainAsync(AttemptInput stale, int turn, CancellationToken cancellationToken)
    {
        var (host, request, draw) = (stale.Host, stale.Request, stale.Pick.Draw);
        if (host.IsOutside)
        {
            if (_outbound.EntryOf(host.Key) is not { } now)
            {
                return Reply(LocalReply.NoConfiguration(host.ToString(), "the outbound traffic policy has no route for it any more"), request, stale.Record);
            }

            host = now;
        }
        else if (host.IsEvicted)
        {
            HostEntry? again;
            try
            {
                again = await _hosts.ResolveAsync(host.Key.Host, host.Key.Port, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception) when (ClientRecords.Fail(stale, cancellationToken))
            {
                throw;
            }

            if (again is not { State.Status: HostStatus.Meshed })
            {
                return Reply(LocalReply.NoConfiguration(host.ToString(), "it is not known to the control plane any more"), request, stale.Record);
            }

            host = again;
        }

        var input = AttemptInput.Rent();
        input.Decision = Route(host, request, draw);

        // The clocks over all attempts go on.
        input.Clocks = stale.Retried?.Clocks ?? AttemptClocks.None;
        (input.Record, stale.Record) = (stale.Record, null);
        return await ForwardAsync(input, host, request, draw, stale.Exchange, turn, cancellationToken).ConfigureAwait(false);
    }

    // Always false, to stand in an exception filter: nothing comes of the request any more.
    private static bool IsLost(Exception e, AttemptInput input, CancellationToken caller)
    {
        if (e is OperationCanceledException)
        {
            RequestOutcome.TellGone(input.Request, caller);
        }

        return ClientRecords.Fail(input, caller);
    }

    private HttpResponseMessage Reply(LocalReply reply, AttemptInput input)
    {
        reply = input.Exchange?.Flag(reply) ?? reply;
        var response = RouteReplies.Create(reply, input.Decision, input.Request, _time, _observer);
        if (input.Record is { } record)
        {
            ClientRecords.Reply(input, record, reply, response);
        }

        return response;
    }

    private HttpResponseMessage Reply(LocalReply reply, HttpRequestMessage request, RequestRecord? record)
    {
        _observer?.OnReplied(request, reply);
        var response = LocalReplies.Create(reply, request);
        if (record is not null)
        {
            ClientRecords.Reply(record, reply, response);
            record.Release();
        }

        return response;
    }

    private Decision Route(HostEntry host, HttpRequestMessage request, ulong draw) => _decisions.Route(host.State, RequestSteering.View(host, request), draw);
}
