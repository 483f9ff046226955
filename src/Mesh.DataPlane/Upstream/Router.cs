using System.Net;
using System.Runtime.CompilerServices;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Explaining;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Transports;

namespace Mesh.DataPlane.Upstream;

/// <summary>Envoy's router: decides, takes part in an endpoint, sends, and ends the exchange when the response has ended.</summary>
internal sealed class Router(
    DecisionMaker decisions,
    HeaderClusters headerClusters,
    HostDirectory hosts,
    IRandomSource random,
    IDecisionObserver? observer) : IUpstream
{
    // Each turn means that the picked endpoint was retired between pick and use; a fresh state is one read away.
    private const int MaxTurns = 8;

    // The frame comes from a pool: the door's own asynchronous frame is the only one that a request allocates.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<HttpResponseMessage> SendAsync(HostEntry host, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // 1. Decide, by one draw.
        RequestOutcome.Forget(request);
        var draw = random.NextUInt64();
        Decision decision;
        var turn = 0;
        while (true)
        {
            decision = Decide(host, request, draw);
            if (decision.ClusterHeader is { } name)
            {
                var cluster = await headerClusters.ResolveAsync(name, cancellationToken).ConfigureAwait(false);
                if (cluster is null || cluster.Current.Status == ClusterStatus.Pending)
                {
                    var notFound = decision.Route!.Action.NotFound;
                    decision = new Decision { Host = decision.Host, Route = decision.Route, Reply = LocalReply.NoCluster(notFound) };
                    break;
                }
            }
            else if (decision.Endpoint is not { } picked || picked.State.TryAcquire())
            {
                break;
            }
            else if (host.IsEvicted)
            {
                // Idle for long, or crowded out, and needed after all.
                if (await hosts.ResolveAsync(host.Key.Host, host.Key.Port, cancellationToken).ConfigureAwait(false) is not { State.Status: HostStatus.Meshed } again)
                {
                    return LocalReplies.Create(LocalReply.NoConfiguration(host.ToString(), "it is not known to the control plane any more"), request);
                }

                host = again;
            }

            if (++turn == MaxTurns)
            {
                decision = new Decision { Host = decision.Host, Route = decision.Route, Cluster = decision.Cluster, Reply = LocalReply.NoHealthyUpstream };
                break;
            }
        }

        if (decision.Reply is { } reply)
        {
            observer?.OnDecided(host, request, draw, decision);
            return LocalReplies.Create(reply, request, (decision.Route?.Action as RouteAction.Respond)?.Body);
        }

        // 2. Send. The version is the cluster's; the caller gets the message back as it was.
        var exchange = UpstreamRequest.Begin(decision.Endpoint!.State);
        var version = request.Version;
        var versionPolicy = request.VersionPolicy;
        string? webSocketKey = null;
        HttpResponseMessage response;
        try
        {
            observer?.OnDecided(host, request, draw, decision);
            var protocol = decision.ClusterState!.Policy!.Transport.Protocol;
            if (protocol == UpstreamProtocol.Http2)
            {
                webSocketKey = WebSocketUpgrade.Translate(request);
            }

            UseProtocol(request, protocol);
            response = await decision.Endpoint.State.Transport.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException e)
        {
            exchange.End();
            cancellationToken.ThrowIfCancellationRequested();
            if (Failures.ReplyTo(e, request) is not { } failure)
            {
                throw;
            }

            RequestOutcome.TellAttempts(request, 1);
            return LocalReplies.Create(failure, request);
        }
        catch
        {
            exchange.End();
            throw;
        }
        finally
        {
            request.Version = version;
            request.VersionPolicy = versionPolicy;
            if (webSocketKey is not null)
            {
                WebSocketUpgrade.Restore(request, webSocketKey);
            }
        }

        // 3. The exchange ends with the body.
        if (HasNoBody(request, response))
        {
            exchange.End();
        }
        else
        {
            response.Content = new MeshResponseContent(response.Content, exchange);
        }

        return response;
    }

    private Decision Decide(HostEntry host, HttpRequestMessage request, ulong draw)
    {
        var uri = request.RequestUri!;
        var view = new RequestView(uri.PathAndQuery, request.Method.Method, host.Authority, Scheme(uri), HttpRequestHeaderReader.Instance, request);
        return decisions.Decide(host.State, view, draw);
    }

    // A WebSocket is a request like any other to Envoy; .NET tells it by its URI.
    private static string Scheme(Uri uri)
        => uri.Scheme switch
        {
            "ws" => Uri.UriSchemeHttp,
            "wss" => Uri.UriSchemeHttps,
            var other => other,
        };

    private static void UseProtocol(HttpRequestMessage request, UpstreamProtocol protocol)
    {
        switch (protocol)
        {
            case UpstreamProtocol.Http2:
                request.Version = HttpVersion.Version20;
                request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
                break;
            case UpstreamProtocol.Http11 when request.Method == HttpMethod.Connect && request.Headers.Protocol is { } protocolName:
                throw new HttpRequestException(
                    HttpRequestError.ExtendedConnectNotSupported,
                    $"The cluster speaks HTTP/1.1, which has no extended CONNECT; open '{protocolName}' by an HTTP/1.1 upgrade.");
            case UpstreamProtocol.Http11 when request.Version.Major >= 2 || request.VersionPolicy != HttpVersionPolicy.RequestVersionOrLower:
                request.Version = HttpVersion.Version11;
                request.VersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
                break;
        }
    }

    private static bool HasNoBody(HttpRequestMessage request, HttpResponseMessage response)
        => response.StatusCode != HttpStatusCode.SwitchingProtocols
            && (response.Content.Headers.ContentLength == 0
                || response.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.NotModified
                || request.Method == HttpMethod.Head);
}
