using System.Net;
using Mesh.DataPlane;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Outbound;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Upstream;

namespace Mesh.Client;

/// <summary>
/// The innermost handler of a client: requests to hosts of the mesh are answered by the engine, all others go on to the client's primary
/// handler or are refused. Holds no state of its own, so that handlers may come and go.
/// </summary>
internal sealed class MeshHandler : DelegatingHandler
{
    private readonly MeshEngine _engine;
    private readonly PrimaryFeatures _features;
    private readonly OuterRetries? _outerRetries;
    private readonly LocalReplyMode _replies;

    public MeshHandler(MeshEngine engine, PrimaryFeatures features, OuterRetries? outerRetries = null, LocalReplyMode replies = LocalReplyMode.Response)
    {
        (_engine, _features, _outerRetries, _replies) = (engine, features, outerRetries, replies);
        engine.Outbound.Start();
    }

    // A host that is known: where there is nothing to do around the engine, its task is the answer.
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (_replies == LocalReplyMode.Throw)
        {
            return SendOrThrowAsync(request, cancellationToken);
        }

        if (request.RequestUri is { IsAbsoluteUri: true } uri && IsHttp(uri))
        {
            var (host, port) = Authority(request, uri);
            if (_engine.Hosts.Find(host, port) is { State.Status: HostStatus.Meshed } entry)
            {
                _outerRetries?.Tell(entry.State.VirtualHost);
                return _features.IsNone
                    ? _engine.Upstream.SendAsync(entry, request, cancellationToken).AsTask()
                    : SendAndCompleteAsync(entry, request, uri, cancellationToken);
            }
        }

        return ResolveAndSendAsync(request, cancellationToken);
    }

    private async Task<HttpResponseMessage> SendOrThrowAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        RequestOutcome.Forget(request);
        var response = await ResolveAndSendAsync(request, cancellationToken).ConfigureAwait(false);
        if (LocalReplyExceptions.Of(request) is not { } exception)
        {
            return response;
        }

        response.Dispose();
        throw exception;
    }

    private async Task<HttpResponseMessage> ResolveAndSendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // 1. Whose host is it?
        if (request.RequestUri is not { IsAbsoluteUri: true } uri || !IsHttp(uri))
        {
            return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }

        var (host, port) = Authority(request, uri);
        var entry = _engine.Hosts.Find(host, port) ?? await _engine.Hosts.ResolveAsync(host, port, cancellationToken).ConfigureAwait(false);
        var status = entry?.State.Status ?? HostStatus.Unknown;

        // 2. Not the mesh's: on to the primary handler, unless the name could only ever be the mesh's or the policy says no.
        if (status == HostStatus.Unknown || (status == HostStatus.Pending && !entry!.IsMeshName))
        {
            if (entry is null && uri.IsLoopback)
            {
                return await PassAsync(request, cancellationToken).ConfigureAwait(false);
            }

            if (entry is { IsMeshName: true })
            {
                return ReplyNoConfiguration(entry, entry.State.Error ?? "it is not known to the control plane", request);
            }

            if (!_engine.Outbound.IsKnown)
            {
                return await SendWhenPolicyIsKnownAsync(request, cancellationToken).ConfigureAwait(false);
            }

            RequestOutcome.Forget(request);
            var decision = _engine.Outbound.Admit(new HostKey(host, port), request);
            if (decision.Verdict != OutboundVerdict.Route)
            {
                return await SendOutsideAsync(decision, host, port, request, uri, cancellationToken).ConfigureAwait(false);
            }

            entry = decision.Entry;
        }
        else if (status != HostStatus.Meshed)
        {
            var reason = entry!.State.Error ?? _engine.Client.Status.LastError ?? "the control plane has not answered in time";
            return ReplyNoConfiguration(entry, reason, request);
        }

        // 3. The mesh's: the engine sends; what the primary handler would have done around it is done here.
        _outerRetries?.Tell(entry!.State.VirtualHost);
        if (_features.IsNone)
        {
            return await _engine.Upstream.SendAsync(entry!, request, cancellationToken).ConfigureAwait(false);
        }

        return await SendAndCompleteAsync(entry!, request, uri, cancellationToken).ConfigureAwait(false);
    }

    private async Task<HttpResponseMessage> SendAndCompleteAsync(HostEntry entry, HttpRequestMessage request, Uri uri, CancellationToken cancellationToken)
    {
        var added = _features.Prepare(request, uri);
        HttpResponseMessage response;
        try
        {
            response = await _engine.Upstream.SendAsync(entry, request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            PrimaryFeatures.Restore(request, added);
        }

        _features.Complete(response, uri);
        return _features.FollowsRedirects && Redirection.IsRedirect(response.StatusCode)
            ? await FollowAsync(request, response, cancellationToken).ConfigureAwait(false)
            : response;
    }

    // HttpClient.Send: the engine is asynchronous throughout, and its continuations need no context to run on.
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        => SendAsync(request, cancellationToken).GetAwaiter().GetResult();

    // A ClientWebSocket sends by its ws URI.
    private static bool IsHttp(Uri uri) => ReferenceEquals(uri.Scheme, Uri.UriSchemeHttp) || ReferenceEquals(uri.Scheme, Uri.UriSchemeHttps)
        || uri.Scheme is "http" or "https" or "ws" or "wss";

    private static bool IsSecure(Uri uri) => uri.Scheme is "https" or "wss";

    // Envoy routes by the authority that goes over the wire: the Host header where one is set.
    private static (string Host, int Port) Authority(HttpRequestMessage request, Uri uri)
    {
        if (request.Headers.Host is not { Length: > 0 } host)
        {
            return (WithoutDot(UriHost.Of(uri)), uri.Port);
        }

        var colon = host.LastIndexOf(':');
        return colon > 0 && host[^1] != ']' && int.TryParse(host.AsSpan(colon + 1), out var port)
            ? (WithoutDot(host[..colon]), port)
            : (WithoutDot(host), IsSecure(uri) ? 443 : 80);

        // An absolute DNS name is the same host, as with Envoy's strip_trailing_host_dot.
        static string WithoutDot(string name) => name.Length > 1 && name[^1] == '.' ? name[..^1] : name;
    }

    private HttpResponseMessage ReplyNoConfiguration(HostEntry entry, string reason, HttpRequestMessage request)
    {
        var reply = LocalReply.NoConfiguration(entry.ToString(), reason);
        _engine.Observer?.OnDecided(entry, request, draw: 0, new Decision { Host = entry.State, Reply = reply });
        return Reply(reply, request);
    }

    private HttpResponseMessage Reply(LocalReply reply, HttpRequestMessage request, byte[]? body = null)
    {
        _engine.Observer?.OnReplied(request, reply);
        return LocalReplies.Create(reply, request, body);
    }

    // A frame of its own: only a process that has just started waits, and requests to the mesh shall not pay for it.
    private async Task<HttpResponseMessage> SendWhenPolicyIsKnownAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await _engine.Outbound.WhenKnownAsync(cancellationToken).ConfigureAwait(false);
        return await SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    private Task<HttpResponseMessage> SendOutsideAsync(
        in OutboundDecision decision, string host, int port, HttpRequestMessage request, Uri uri, CancellationToken cancellationToken)
    {
        var refused = decision.Verdict == OutboundVerdict.Refuse;
        _engine.Observer?.OnOutsideMesh(request, refused, decision.Reason);
        var record = OutsideRecords.Begin(_engine.OutsideSignals, request, new HostKey(host, port).Authority, refused);
        if (!refused)
        {
            return record is null ? PassAsync(request, cancellationToken) : PassAsync(record, request, cancellationToken);
        }

        var reply = LocalReply.BlackHole with { Status = decision.Status };
        RequestOutcome.TellRefusal(request, decision.Reason);
        if (!IsSecure(uri))
        {
            var response = Reply(reply, request, decision.Body);
            if (record is not null)
            {
                OutsideRecords.Refuse(record, reply, response);
            }

            return Task.FromResult(response);
        }

        // A proxy cannot answer either: it ends the connection, and the caller's TLS fails.
        RequestOutcome.TellReply(request, reply);
        if (record is not null)
        {
            OutsideRecords.Refuse(record, reply, response: null);
        }

        return Task.FromException<HttpResponseMessage>(new HttpRequestException(
            HttpRequestError.ConnectionError,
            $"The mesh refuses the connection to {host}:{port}: {decision.Reason}. "
            + "Add a ServiceEntry for it, allow it by the outboundTrafficPolicy of MeshConfig or Sidecar, or set Mesh:Client:OutboundTrafficPolicy to AllowAny."));
    }

    private async Task<HttpResponseMessage> PassAsync(RequestRecord record, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        RequestOutcome.Forget(request);
        OwnConnections.Mark();
        var body = record.IsGrpc ? OutgoingBody.Watch(request, mayReplay: false, hasClock: false, limit: null, counter: record.Time, countsMessages: true) : null;
        record.Body = body;
        HttpResponseMessage response;
        try
        {
            response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            OutsideRecords.Fail(record, e, cancellationToken);
            throw;
        }
        finally
        {
            if (body is not null)
            {
                request.Content = body.Inner;
            }
        }

        OutsideRecords.Answer(record, request, response);
        return _features.FollowsRedirectsOutside && Redirection.IsRedirect(response.StatusCode)
            ? await FollowAsync(request, response, cancellationToken).ConfigureAwait(false)
            : response;
    }

    private Task<HttpResponseMessage> PassAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        RequestOutcome.Forget(request);
        OwnConnections.Mark();
        return _features.FollowsRedirectsOutside ? PassAndFollowAsync(request, cancellationToken) : base.SendAsync(request, cancellationToken);
    }

    private async Task<HttpResponseMessage> PassAndFollowAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        return Redirection.IsRedirect(response.StatusCode) ? await FollowAsync(request, response, cancellationToken).ConfigureAwait(false) : response;
    }

    // Each hop is a message of its own, so that the caller's stays as it was and the response tells where it came from.
    private async Task<HttpResponseMessage> FollowAsync(HttpRequestMessage request, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var hop = Redirection.Next(request, response, _features.RedirectsLeft(request));
        if (hop is null)
        {
            return response;
        }

        response.Dispose();
        return await SendAsync(hop, cancellationToken).ConfigureAwait(false);
    }
}
