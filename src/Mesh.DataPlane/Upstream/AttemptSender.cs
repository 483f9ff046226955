using System.Net;
using System.Runtime.CompilerServices;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Explaining;
using Mesh.DataPlane.Headers;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.LoadReporting;
using Mesh.DataPlane.OutlierDetection;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.DataPlane.Timeouts;
using Mesh.DataPlane.Transports;

namespace Mesh.DataPlane.Upstream;

/// <summary>Makes one attempt: picks an endpoint, takes part in it, sends under the attempt's clock, and says how it came out.</summary>
/// <param name="time">The clock.</param>
/// <param name="observer">Is told of every decision.</param>
/// <param name="metadata">What other workloads are told of this one.</param>
internal sealed class AttemptSender(TimeProvider time, IDecisionObserver? observer, OwnMetadata? metadata = null)
{
    public const string AttemptCountHeader = "x-envoy-attempt-count";

    public const string TimeoutRetryHeader = "x-envoy-is-timeout-retry";

    // Each turn means that the picked endpoint was retired between pick and use; a fresh state is one read away.
    private const int MaxTurns = 8;

    /// <exception cref="OperationCanceledException">The caller's own token was cancelled.</exception>
    /// <exception cref="HttpRequestException">The failure is the caller's own: its content could not be read.</exception>
    public async ValueTask<Attempt> RunAsync(AttemptInput input, CancellationToken cancellationToken)
    {
        await SendAsync(input, cancellationToken).ConfigureAwait(false);
        return input.Result;
    }

    /// <summary>The same, with <see cref="AttemptInput.Result"/> for the outcome: the frames of ordinary requests hold none of it.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask SendAsync(AttemptInput input, CancellationToken cancellationToken)
    {
        // 1. An endpoint.
        Endpoint? picked;
        for (var turn = 0; (picked = Pick(input)) is not null && !picked.State.TryAcquire();)
        {
            if (input.Host.IsEvicted || ++turn == MaxTurns)
            {
                input.Result = new Attempt { Input = input, Reply = LocalReply.NoHealthyUpstream, Failure = AttemptFailure.Stale, Clocks = input.Clocks };
                return;
            }
        }

        var request = input.Request;
        observer?.OnDecided(input.Host, request, input.Pick.Draw, input.Decision);
        if (picked is not { } endpoint)
        {
            input.Result = new Attempt
            {
                Input = input,
                Reply = input.Decision.Reply,
                Failure = input.Decision.IsStale ? AttemptFailure.Stale : AttemptFailure.NoHost,
                Clocks = input.Clocks,
            };
            return;
        }

        input.OnPicked?.Invoke(endpoint.State);

        if (input.Edit is { } edit)
        {
            // A copy of the message is nobody's to give back.
            RequestFinalizer.ApplyEndpoint(
                input.Decision, ReferenceEquals(edit.Request, request) ? edit : new RequestEdit(request), time, input.Decision.Host.Settings.SuppressEnvoyHeaders);
        }

        // 2. Its clock.
        var upstream = UpstreamRequest.Begin(endpoint.State);
        var token = cancellationToken;
        RequestClock? clock = null;
        if (input.Plan.HasClock)
        {
            clock = RequestClock.Begin(time, cancellationToken);
            upstream.Use(clock, input.Body);
            Start(clock, input);
            token = clock.Token;
        }

        // 3. A permit, then send. The version is the cluster's; the caller gets the message back as it was.
        var version = request.Version;
        var versionPolicy = request.VersionPolicy;
        string? webSocketKey = null;
        var told = default(OwnMetadata.Told);
        try
        {
            var policy = input.Decision.Route!.Policy;
            var protocol = input.Decision.ClusterState!.Policy!.Transport.Protocol;
            if (RequestScheme.IsSecure(request.RequestUri!))
            {
                protocol = UpstreamProtocol.Downstream;
                RequestScheme.UseCallersVersion(request);
            }
            else if (protocol == UpstreamProtocol.Http2)
            {
                webSocketKey = WebSocketUpgrade.Translate(request);
            }

            RequestVersion.Use(request, protocol);
            var multiplexed = request.Version.Major >= 2;
            var breaker = input.Decision.Cluster!.Breakers[policy.Priority];
            if (!breaker.TryEnter(endpoint.State, multiplexed, out var overflow))
            {
                // Whoever waits for a connection has waited since the request was there, not since it went out.
                clock?.StartPending();
                overflow ??= await breaker.EnterAsync(endpoint.State, token).ConfigureAwait(false);
                if (overflow is not null)
                {
                    input.Decision.Cluster.Load.Drop(ClusterLoad.CircuitBreakers);
                    var refused = new Attempt { Input = input, Reply = overflow, Failure = AttemptFailure.Overflow, Clocks = ClocksOf(clock) };
                    upstream.End();
                    input.Result = refused;
                    return;
                }
            }

            upstream.Hold(breaker, multiplexed);
            upstream.Count(endpoint.Load);
            if (policy.CountsAttempts)
            {
                if (input.Number > 1 || input.OwnAttemptCount is not null)
                {
                    request.Headers.Remove(AttemptCountHeader);
                }

                request.Headers.TryAddWithoutValidation(AttemptCountHeader, HeaderNumbers.Text(input.Number));
            }

            if (input.Number > 1 && policy.MarksTimeoutRetries)
            {
                request.Headers.Remove(TimeoutRetryHeader);
                request.Headers.TryAddWithoutValidation(TimeoutRetryHeader, input.FollowsTimeout ? "true" : "false");
            }

            if (input.Plan.ExpectedTimeout > TimeSpan.Zero)
            {
                ExpectedTimeout.Write(input, time);
            }

            // Inside a caller's own TLS it is nobody knows who.
            if (metadata is not null && endpoint.State.IsMesh && !RequestScheme.IsSecure(request.RequestUri!))
            {
                told = endpoint.State.Transport.Introduces(request) ? OwnMetadata.Withhold(request) : metadata.Tell(request);
            }

            if (input.Record is { } began)
            {
                began.UpstreamBegan = time.GetTimestamp();
                began.Try(endpoint);
            }

            HttpResponseMessage response;
            try
            {
                response = await endpoint.State.Transport.SendAsync(request, token).ConfigureAwait(false);
            }
            catch (HttpRequestException e) when (metadata is not null && UnintroducedException.IsCauseOf(e))
            {
                metadata.Tell(request);
                response = await endpoint.State.Transport.SendAsync(request, token).ConfigureAwait(false);
            }

            if (input.Body?.Sending is { IsCompletedSuccessfully: false } sending)
            {
                await EndSendingAsync(sending, response, token).ConfigureAwait(false);
            }

            told.TakeAnswer(response);
            upstream.Observe(response, input.Record?.IsGrpc ?? LocalReplies.IsGrpc(request));
            if (input.Record is { } answered)
            {
                answered.ResponseBegan = time.GetTimestamp();
            }

            if (endpoint.State.Monitor is { } monitor)
            {
                monitor.OnResponse(response, LocalReplies.IsGrpc(request));
            }

            input.Result = new Attempt { Input = input, Response = response, Upstream = upstream };
            return;
        }
        catch (HttpRequestException e)
        {
            var attempt = Timed(clock, input) ?? new Attempt { Input = input, Clocks = ClocksOf(clock) };
            var reply = attempt.Reply ?? Failures.ReplyTo(e, request);
            upstream.Fail(isHostToBlame: reply is not null && !cancellationToken.IsCancellationRequested);
            upstream.End();
            cancellationToken.ThrowIfCancellationRequested();
            if (attempt.Reply is null)
            {
                if (reply is not { } failure)
                {
                    throw;
                }

                attempt = attempt with { Reply = failure, Failure = FailureOf(failure) };
            }

            Report(endpoint.State, attempt);
            input.Result = attempt;
            return;
        }
        catch (OperationCanceledException)
        {
            var attempt = Timed(clock, input);
            var clocks = ClocksOf(clock);
            upstream.Fail(isHostToBlame: (attempt is not null || input.Body is { IsUnwanted: true }) && !cancellationToken.IsCancellationRequested);
            upstream.End();
            cancellationToken.ThrowIfCancellationRequested();
            if (attempt is null && input.Body is { IsUnwanted: true })
            {
                attempt = new Attempt { Input = input, Reply = LocalReply.RemoteReset, Failure = AttemptFailure.Reset, Clocks = clocks };
            }

            if (attempt is null)
            {
                throw;
            }

            Report(endpoint.State, attempt.Value);
            input.Result = attempt.Value;
            return;
        }
        catch
        {
            upstream.End();
            throw;
        }
        finally
        {
            told.Undo();
            request.Version = version;
            request.VersionPolicy = versionPolicy;
            if (webSocketKey is not null)
            {
                WebSocketUpgrade.Restore(request, webSocketKey);
            }
        }
    }

    private static async ValueTask EndSendingAsync(Task sending, HttpResponseMessage response, CancellationToken token)
    {
        try
        {
            await sending.WaitAsync(token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            // The upstream does not want the rest.
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    // What the host is to blame for; a stream that its own caller left idle, or that lasted too long altogether, it is not.
    private static void Report(EndpointState endpoint, in Attempt attempt)
    {
        if (endpoint.Monitor is not { } monitor)
        {
            return;
        }

        LocalOriginFailure? failure = attempt.Failure switch
        {
            AttemptFailure.Connect when attempt.Reply == LocalReply.ConnectionTimeout => LocalOriginFailure.ConnectTimeout,
            AttemptFailure.Connect => LocalOriginFailure.ConnectFailed,
            AttemptFailure.Reset or AttemptFailure.RefusedStream => LocalOriginFailure.Reset,
            AttemptFailure.PerTryTimeout => LocalOriginFailure.Timeout,
            AttemptFailure.Timeout when attempt.Reply == LocalReply.ResponseTimeout => LocalOriginFailure.Timeout,
            _ => null,
        };
        if (failure is { } told)
        {
            monitor.OnLocalOriginFailure(told);
        }
    }

    private static Endpoint? Pick(AttemptInput input)
    {
        ref var decision = ref input.Decision;
        DecisionMaker.Pick(ref decision, input.Pick);
        if (input.Number == 1 && decision.ClusterState!.Endpoints.Drops(input.Pick.Draw))
        {
            // The control plane sheds load; what it drops is not tried elsewhere.
            decision.Cluster!.Load.Drop(decision.ClusterState.Endpoints.DropCategory(input.Pick.Draw));
            decision.Reply = LocalReply.DropOverload;
            return decision.Endpoint = null;
        }

        if (input.Previous is { } previous && input.Plan.Retry!.AvoidsPreviousHosts)
        {
            // Envoy selects anew, a bounded number of times, and takes the last host it was given.
            var pick = input.Pick;
            for (var i = 0u; i < input.Plan.Retry.HostSelectionRetries && decision.Endpoint is { } taken && previous.Contains(taken.State); i++)
            {
                pick = pick.Next() with { Attempt = i + 1 };
                DecisionMaker.Pick(ref decision, pick);
            }
        }

        return decision.Endpoint;
    }

    private static void Start(RequestClock clock, AttemptInput input)
    {
        var plan = input.Plan;
        var begins = input.Clocks;
        if (begins.MaxStreamDuration != long.MaxValue)
        {
            clock.SetDeadline(TimeoutCause.MaxStreamDuration, begins.MaxStreamDuration);
        }
        else
        {
            clock.Start(TimeoutCause.MaxStreamDuration, plan.MaxStreamDuration);
        }

        clock.Start(TimeoutCause.UpstreamMaxStreamDuration, plan.UpstreamMaxStreamDuration);
        if (plan.PerTryIdleTimeout > TimeSpan.Zero)
        {
            clock.StartIdle(TimeoutCause.PerTryIdle, plan.PerTryIdleTimeout);
        }
        else
        {
            clock.StartIdle(TimeoutCause.Idle, plan.IdleTimeout);
        }

        // A hedged attempt is not ended by its per-try timeout: that only sends the next one.
        var perTry = input.IsHedged ? TimeSpan.Zero : plan.PerTryTimeout;
        if (begins.Route != long.MaxValue)
        {
            clock.SetDeadline(TimeoutCause.Route, begins.Route);
            clock.Prepare(TimeSpan.Zero, perTry);
        }
        else
        {
            clock.Prepare(plan.StartsRouteTimeout(input.Request) ? plan.RouteTimeout : TimeSpan.Zero, perTry);
        }

        if (input.Body is null)
        {
            clock.StartPending();
        }
    }

    private static AttemptClocks ClocksOf(RequestClock? clock)
        => clock is null
            ? AttemptClocks.None
            : new AttemptClocks(clock.DeadlineOf(TimeoutCause.Route), clock.DeadlineOf(TimeoutCause.MaxStreamDuration));

    private static Attempt? Timed(RequestClock? clock, AttemptInput input)
    {
        var complete = input.Body?.IsComplete ?? true;
        (LocalReply Reply, AttemptFailure Failure)? ended = clock?.Cause switch
        {
            TimeoutCause.Route => (LocalReply.ResponseTimeout, AttemptFailure.Timeout),
            TimeoutCause.PerTry => (LocalReply.PerTryTimeout, AttemptFailure.PerTryTimeout),
            TimeoutCause.PerTryIdle => (LocalReply.PerTryIdleTimeout, AttemptFailure.PerTryTimeout),
            TimeoutCause.Idle => (LocalReply.StreamIdleTimeout(complete), AttemptFailure.Timeout),
            TimeoutCause.MaxStreamDuration => (LocalReply.MaxStreamDuration(complete), AttemptFailure.Timeout),
            TimeoutCause.UpstreamMaxStreamDuration => (LocalReply.UpstreamMaxStreamDuration(complete), AttemptFailure.StreamDuration),
            _ => null,
        };
        return ended is { } timed
            ? new Attempt { Input = input, Reply = timed.Reply, Failure = timed.Failure, Clocks = ClocksOf(clock) }
            : null;
    }

    private static AttemptFailure FailureOf(LocalReply reply)
        => reply.Flags == "UF" ? AttemptFailure.Connect
            : reply == LocalReply.RemoteRefusedStream ? AttemptFailure.RefusedStream
            : AttemptFailure.Reset;
}
