using System.Net;
using Mesh.DataPlane;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Upstream;

namespace Mesh.Client;

/// <summary>
/// The innermost handler of a client: requests to hosts of the mesh are answered by the engine, all others go on to the client's primary
/// handler or are refused. Holds no state of its own, so that handlers may come and go.
/// </summary>
internal sealed class MeshHandler(MeshEngine engine, OutboundTrafficMode mode, PrimaryFeatures features, OuterRetries? outerRetries = null, LocalReplyMode replies = LocalReplyMode.Response) : DelegatingHandler
{
    // A host that is known, and nothing to do around the engine: its task is the answer.
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (replies == LocalReplyMode.Throw)
        {
            return SendOrThrowAsync(request, cancellationToken);
        }

        if (features.IsNone && request.RequestUri is { IsAbsoluteUri: true } uri && IsHttp(uri))
        {
            var (host, port) = Authority(request, uri);
            if (engine.Hosts.Find(host, port) is { State.Status: HostStatus.Meshed } entry)
            {
                outerRetries?.Tell(entry.State.VirtualHost);
                return engine.Upstream.SendAsync(entry, request, cancellationToken).AsTask();
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
        var entry = engine.Hosts.Find(host, port) ?? await engine.Hosts.ResolveAsync(host, port, cancellationToken).ConfigureAwait(false);
        var status = entry?.State.Status ?? HostStatus.Unknown;

        // 2. Not the mesh's: on to the primary handler, unless the name could only ever be the mesh's or the policy says no.
        if (status == HostStatus.Unknown || (status == HostStatus.Pending && !entry!.IsMeshName))
        {
            if (entry is null && uri.IsLoopback)
            {
                return await PassAsync(request, cancellationToken).ConfigureAwait(false);
            }

            return entry is { IsMeshName: true }
                ? ReplyNoConfiguration(entry, entry.State.Error ?? "it is not known to the control plane", request)
                : await SendOutsideAsync(request, uri, cancellationToken).ConfigureAwait(false);
        }

        if (status != HostStatus.Meshed)
        {
            var reason = entry!.State.Error ?? engine.Client.Status.LastError ?? "the control plane has not answered in time";
            return ReplyNoConfiguration(entry, reason, request);
        }

        // 3. The mesh's: the engine sends; what the primary handler would have done around it is done here.
        outerRetries?.Tell(entry!.State.VirtualHost);
        if (features.IsNone)
        {
            return await engine.Upstream.SendAsync(entry!, request, cancellationToken).ConfigureAwait(false);
        }

        features.Prepare(request, uri);
        HttpResponseMessage response;
        try
        {
            response = await engine.Upstream.SendAsync(entry!, request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            features.Restore(request);
        }

        features.Complete(response, uri);
        return features.FollowsRedirects && Redirection.IsRedirect(response.StatusCode)
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
        engine.Observer?.OnDecided(entry, request, draw: 0, new Decision { Host = entry.State, Reply = reply });
        return Reply(reply, request);
    }

    private HttpResponseMessage Reply(LocalReply reply, HttpRequestMessage request)
    {
        engine.Observer?.OnReplied(request, reply);
        return LocalReplies.Create(reply, request);
    }

    private Task<HttpResponseMessage> SendOutsideAsync(HttpRequestMessage request, Uri uri, CancellationToken cancellationToken)
    {
        if (mode == OutboundTrafficMode.AllowAny)
        {
            engine.Observer?.OnOutsideMesh(request, refused: false);
            return PassAsync(request, cancellationToken);
        }

        engine.Observer?.OnOutsideMesh(request, refused: true);
        return IsSecure(uri)
            ? Task.FromException<HttpResponseMessage>(new HttpRequestException(
                HttpRequestError.ConnectionError,
                $"The mesh refuses the connection to {uri.Host}:{uri.Port}: the outbound traffic policy is REGISTRY_ONLY and no service or ServiceEntry names the host. "
                + "Add a ServiceEntry for it, or set Mesh:Client:OutboundTrafficPolicy to AllowAny."))
            : Task.FromResult(Reply(LocalReply.BlackHole, request));
    }

    private Task<HttpResponseMessage> PassAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        RequestOutcome.Forget(request);
        OwnConnections.Mark();
        return features.FollowsRedirectsOutside ? PassAndFollowAsync(request, cancellationToken) : base.SendAsync(request, cancellationToken);
    }

    private async Task<HttpResponseMessage> PassAndFollowAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        return Redirection.IsRedirect(response.StatusCode) ? await FollowAsync(request, response, cancellationToken).ConfigureAwait(false) : response;
    }

    // Each hop is a message of its own, so that the caller's stays as it was and the response tells where it came from.
    private async Task<HttpResponseMessage> FollowAsync(HttpRequestMessage request, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var hop = Redirection.Next(request, response, features.RedirectsLeft(request));
        if (hop is null)
        {
            return response;
        }

        response.Dispose();
        return await SendAsync(hop, cancellationToken).ConfigureAwait(false);
    }
}
