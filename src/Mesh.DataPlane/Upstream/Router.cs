using System.Net;
using System.Runtime.CompilerServices;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Explaining;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Mirroring;
using Mesh.DataPlane.OriginalDst;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Routing;
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
    private readonly IRandomSource _random;
    private readonly IDecisionObserver? _observer;
    private readonly TimeProvider _time;
    private readonly AttemptSender _attempts;
    private readonly MirrorSender _mirrors;
    private readonly RetryPipeline _retries;
    private readonly HedgePipelines _hedges;

    public Router(
        DecisionMaker decisions,
        HeaderClusters headerClusters,
        HostDirectory hosts,
        IRandomSource random,
        TimeProvider time,
        IDecisionObserver? observer,
        BackOffTime? backOff = null)
    {
        _decisions = decisions;
        _headerClusters = headerClusters;
        _hosts = hosts;
        _random = random;
        _observer = observer;
        _time = time;
        _attempts = new AttemptSender(time, observer);
        _mirrors = new MirrorSender(new AttemptSender(time, observer: null), headerClusters, time);
        _retries = new RetryPipeline(time, backOff);
        _hedges = new HedgePipelines(time);
    }

    /// <summary>The copies that routes send elsewhere.</summary>
    public MirrorSender Mirrors => _mirrors;

    public ValueTask<HttpResponseMessage> SendAsync(HostEntry host, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        RequestOutcome.Forget(request);
        if (RequestTarget.BreaksRequestLine(request.RequestUri!.PathAndQuery))
        {
            return ValueTask.FromResult(LocalReplies.Create(LocalReply.InvalidTarget, request));
        }

        var draw = _random.NextUInt64();
        var routed = Route(host, request, draw);
        return routed.Host.ChainOf(routed) is { } chain
            ? chain.SendAsync(this, host, request, draw, routed, cancellationToken)
            : ForwardAsync(host, request, routed, draw, null, cancellationToken);
    }

    Decision IFilterTerminal.Route(ClientExchange exchange) => _decisions.Route(exchange.HostState, exchange.View, exchange.Draw);

    ValueTask<HttpResponseMessage> IFilterTerminal.ForwardAsync(ClientExchange exchange, CancellationToken cancellationToken)
        => ForwardAsync(exchange.Host, exchange.Request, exchange.Decision, exchange.Draw, exchange, cancellationToken);

    void IFilterTerminal.OnReplied(ClientExchange exchange, LocalReply reply)
        => _observer?.OnDecided(exchange.Host, exchange.Request, exchange.Draw, exchange.Decision with { Endpoint = null, Reply = reply });

    private ValueTask<HttpResponseMessage> ForwardAsync(
        HostEntry host, HttpRequestMessage request, Decision routed, ulong draw, ClientExchange? exchange, CancellationToken cancellationToken, int turn = 0)
        => routed.ClusterHeader is null
            ? CarryOutAsync(host, request, routed, draw, exchange, turn, cancellationToken)
            : ResolveAndForwardAsync(host, request, routed, draw, exchange, cancellationToken);

    /// <summary>What comes after route and filters: the attempts, and the response or reply that they come to.</summary>
    // The frame comes from a pool: the door's own asynchronous frame is the only one that a request allocates.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<HttpResponseMessage> CarryOutAsync(
        HostEntry host, HttpRequestMessage request, Decision routed, ulong draw, ClientExchange? exchange, int turn, CancellationToken cancellationToken)
    {
        if (routed.Reply is { } reply)
        {
            _observer?.OnDecided(host, request, draw, routed);
            return RouteReplies.Create(reply, routed, request, _time);
        }

        // 1. What the route makes of the request, and what route and headers ask.
        var policy = routed.Route!.Policy;
        RequestEdit? edit = null;
        if (RequestFinalizer.Applies(routed))
        {
            edit = new RequestEdit(request);
            if (RequestFinalizer.Apply(routed, edit, _time, routed.Host.Settings.SuppressEnvoyHeaders) is { } refusal)
            {
                edit.Undo();
                return RouteReplies.Create(refusal, routed, request, _time);
            }
        }

        var control = ControlHeaders.Take(request);
        var plan = AttemptPlan.Of(policy, routed.Host.Settings, request, control);

        // Copies without a body leave at once, and stay the only ones if the decision turns out stale.
        var mirrored = routed.Route.Mirrors is null || (turn > 0 && request.Content is null) ? null : _mirrors.Begin(host, routed, request, plan.RouteTimeout, draw);
        var body = OutgoingBody.Watch(request, plan.Retry is not null, plan.HasClock, policy.BufferLimit, mirrored is not null);
        if (body is null)
        {
            mirrored?.Finish(null);
        }

        var count = policy.CountsAttempts && request.Headers.NonValidated.TryGetValues(AttemptSender.AttemptCountHeader, out var counted) ? counted.ToString() : null;
        var isStale = false;
        try
        {
            if (routed.Cluster!.Current.Destinations is { } destinations)
            {
                routed = await RequestDestination.OfAsync(destinations, routed, request, cancellationToken).ConfigureAwait(false);
            }

            // 2. The first attempt, and the others if it failed for a reason that allows them.
            var input = new AttemptInput
            {
                Host = host,
                Request = request,
                Routed = routed,
                Pick = PickOf(host, request, routed, draw, exchange, out var setCookie),
                Plan = plan,
                Number = 1,
                Clocks = AttemptClocks.None,
                Body = body,
                Edit = edit,
                HasOwnAttemptCount = count is not null,
            };
            Attempt attempt;
            RetriedRequest? retried = null;
            var attempts = 1;
            if (plan.IsHedged && (body?.Inner is null || OutgoingBody.Share(body) is not null))
            {
                var hedged = new HedgedRequest(_attempts, _time, input, request.Content);
                attempt = await _hedges.RunAsync(hedged, cancellationToken).ConfigureAwait(false);
                attempts = hedged.Attempts;
            }
            else
            {
                attempt = await _attempts.SendAsync(input, cancellationToken).ConfigureAwait(false);
                isStale = attempt.Failure == AttemptFailure.Stale && turn < MaxTurns;
                if (plan.Retry is not null && RetryConditions.IsRetriable(plan, attempt))
                {
                    retried = new RetriedRequest(_attempts, _time, input, attempt);
                    attempt = await _retries.RunAsync(retried, attempt, cancellationToken).ConfigureAwait(false);
                    attempts = retried.Attempts;
                }
            }

            // 3. The response, or the reply for its want.
            if (!isStale)
            {
                return Conclude(attempt, attempts, policy, plan, retried, exchange, setCookie, request);
            }
        }
        finally
        {
            // The caller gets the message back as it was.
            if (body is not null)
            {
                if (!isStale)
                {
                    mirrored?.Finish(body);
                }

                request.Content = body.Inner;
            }

            control?.Restore(request);
            if (policy.CountsAttempts)
            {
                request.Headers.Remove(AttemptSender.AttemptCountHeader);
                if (count is not null)
                {
                    request.Headers.TryAddWithoutValidation(AttemptSender.AttemptCountHeader, count);
                }
            }

            if (policy.MarksTimeoutRetries)
            {
                request.Headers.Remove(AttemptSender.TimeoutRetryHeader);
            }

            edit?.Undo();
        }

        return await RouteAgainAsync(host, request, draw, exchange, turn + 1, cancellationToken).ConfigureAwait(false);
    }

    private HttpResponseMessage Conclude(
        Attempt attempt,
        int attempts,
        RoutePolicy policy,
        in AttemptPlan plan,
        RetriedRequest? retried,
        ClientExchange? exchange,
        string? setCookie,
        HttpRequestMessage request)
    {
        if (attempts > 1 || attempt.Failure is not (AttemptFailure.None or AttemptFailure.NoHost))
        {
            RequestOutcome.TellAttempts(request, attempts);
        }

        exchange?.OnAttempted(ref attempt);
        var response = attempt.Response is null ? Reply(attempt, plan, retried, request) : Complete(attempt, request, retried);
        if (setCookie is not null)
        {
            response.Headers.TryAddWithoutValidation("Set-Cookie", setCookie);
        }

        if (policy.TellsAttempts)
        {
            response.Headers.Remove(AttemptSender.AttemptCountHeader);
            response.Headers.TryAddWithoutValidation(AttemptSender.AttemptCountHeader, attempts.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        return response;
    }

    private HttpResponseMessage Reply(in Attempt attempt, in AttemptPlan plan, RetriedRequest? retried, HttpRequestMessage request)
    {
        var reply = attempt.Reply!;
        if (reply.Flags == "UT" && plan.Headers is { AlternativeTimeoutReply: true })
        {
            reply = reply with { Status = HttpStatusCode.NoContent, Body = "" };
        }

        return RouteReplies.Create(RetryFlag(retried) is { } flag ? reply with { Flags = $"{reply.Flags},{flag}" } : reply, attempt.Decision, request, _time);
    }

    // Why a failure that was worth another try got none.
    private static string? RetryFlag(RetriedRequest? retried)
        => retried switch
        {
            { IsExhausted: true } => "URX",
            { IsLimited: true } => "UO",
            _ => null,
        };

    // The attempt ends with the body.
    private HttpResponseMessage Complete(in Attempt attempt, HttpRequestMessage request, RetriedRequest? retried)
    {
        var response = attempt.Response!;
        var upstream = attempt.Upstream!;
        if (RetryFlag(retried) is { } flag)
        {
            RequestOutcome.TellFlags(request, flag, "via_upstream");
        }

        if (HasNoBody(request, response))
        {
            upstream.End();
            ResponseFinalizer.Apply(attempt.Decision, request, response, _time);
            return response;
        }

        var content = new MeshResponseContent(response.Content, upstream);
        response.Content = content;
        ResponseFinalizer.Apply(attempt.Decision, request, response, _time);
        if (upstream.Clock is { } clock)
        {
            clock.Stop(TimeoutCause.PerTry);
            if (clock.HasDeadline)
            {
                clock.Notify(content);
            }
            else
            {
                upstream.EndClock();
            }
        }

        return response;
    }

    private async ValueTask<HttpResponseMessage> ResolveAndForwardAsync(
        HostEntry host, HttpRequestMessage request, Decision routed, ulong draw, ClientExchange? exchange, CancellationToken cancellationToken)
    {
        var cluster = await _headerClusters.ResolveAsync(routed.ClusterHeader!, cancellationToken).ConfigureAwait(false);
        return await CarryOutAsync(
            host,
            request,
            cluster is null || cluster.Current.Status == ClusterStatus.Pending
                ? new Decision { Host = routed.Host, Route = routed.Route, Reply = LocalReply.NoCluster(routed.Route!.Action.NotFound) }
                : new Decision { Host = routed.Host, Route = routed.Route, Cluster = cluster },
            draw,
            exchange,
            turn: 0,
            cancellationToken).ConfigureAwait(false);
    }

    // The routes have moved on, or the host was idle for long and is needed after all. The filters have seen the request already.
    private async ValueTask<HttpResponseMessage> RouteAgainAsync(
        HostEntry host, HttpRequestMessage request, ulong draw, ClientExchange? exchange, int turn, CancellationToken cancellationToken)
    {
        if (host.IsEvicted)
        {
            if (await _hosts.ResolveAsync(host.Key.Host, host.Key.Port, cancellationToken).ConfigureAwait(false) is not { State.Status: HostStatus.Meshed } again)
            {
                return LocalReplies.Create(LocalReply.NoConfiguration(host.ToString(), "it is not known to the control plane any more"), request);
            }

            host = again;
        }

        return await ForwardAsync(host, request, Route(host, request, draw), draw, exchange, cancellationToken, turn).ConfigureAwait(false);
    }

    private Decision Route(HostEntry host, HttpRequestMessage request, ulong draw) => _decisions.Route(host.State, View(host, request), draw);

    // Only clusters of consistent hashing look at the request again.
    private static PickContext PickOf(HostEntry host, HttpRequestMessage request, in Decision routed, ulong draw, ClientExchange? exchange, out string? setCookie)
    {
        setCookie = null;
        var pick = exchange?.OverrideHost is { } session
            ? new PickContext(draw) { OverrideHost = session, OverrideHostIsStrict = exchange.OverrideHostMissing is not null }
            : new PickContext(draw);
        if (pick.OverrideHost is null && routed.Cluster?.Current.Policy?.OverrideHostHeaders is { } headers)
        {
            pick = OverrideHost.Apply(headers, pick, View(host, request));
        }

        return RequestHash.PoliciesOf(routed) is { } policies ? RequestHash.Apply(policies, pick, View(host, request), request, out setCookie) : pick;
    }

    private static RequestView View(HostEntry host, HttpRequestMessage request)
    {
        var uri = request.RequestUri!;
        return new RequestView(uri.PathAndQuery, request.Method.Method, host.Authority, Scheme(uri), HttpRequestHeaderReader.Instance, request);
    }

    // A WebSocket is a request like any other to Envoy; .NET tells it by its URI.
    private static string Scheme(Uri uri)
        => uri.Scheme switch
        {
            "ws" => Uri.UriSchemeHttp,
            "wss" => Uri.UriSchemeHttps,
            var other => other,
        };

    private static bool HasNoBody(HttpRequestMessage request, HttpResponseMessage response)
        => response.StatusCode != HttpStatusCode.SwitchingProtocols
            && (response.Content.Headers.ContentLength == 0
                || response.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.NotModified
                || request.Method == HttpMethod.Head);
}
