using System.Globalization;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.DataPlane.Upstream;
using Mesh.Server.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Mesh.Server.Telemetry;

/// <summary>Fills in the records of the server's door, which end when the response is complete.</summary>
internal static class ServerRecords
{
    /// <summary>A record of a request that has just come in; <see langword="null"/> when nobody wants to know of it.</summary>
    public static RequestRecord? Begin(ServerExchange exchange)
    {
        if (exchange.Table.Signals.Begin() is not { } record)
        {
            return null;
        }

        var context = exchange.Context;
        record.Request = context;
        record.RequestHeaders = RequestHeaderReader.Instance;
        record.Connection = exchange.Connection;
        record.Protocol = ServerExchange.ProtocolOf(context.Request.Protocol);
        record.IsGrpc = LocalReplies.IsGrpc(context.Request.ContentType);
        var body = new CountedResponseBody(context, record, CountRequest(context, record));
        context.Features.Set<IHttpResponseBodyFeature>(body);
        context.Response.OnCompleted(
            static state =>
            {
                End((CountedResponseBody)state);
                return Task.CompletedTask;
            },
            body);
        return record;
    }

    /// <summary>Takes what the peer tells of itself off the request: a peer that has proven who it is is believed, and neither policies nor the application see it.</summary>
    public static void TakePeer(ServerExchange exchange)
    {
        // Whoever has introduced himself has said it for all requests of the connection; what one of them says beside it may be the application's.
        var introduced = exchange.Connection?.Introduced;
        if (introduced is not null && exchange.Record is { } known)
        {
            known.Peer = introduced;
        }

        var headers = exchange.Context.Request.Headers;
        if (!headers.TryGetValue(PeerMetadata.IdHeader, out var id) & !headers.TryGetValue(PeerMetadata.Header, out var text))
        {
            return;
        }

        headers.Remove(PeerMetadata.IdHeader);
        headers.Remove(PeerMetadata.Header);
        if (introduced is null && exchange.Record is { } record && exchange.Connection is { IsMutualTls: true, PeerIdentity: not null } connection)
        {
            record.Peer = exchange.Table.Peers.Read(connection.Principals.Peer, id.Count == 1 ? id[0] : null, text.Count == 1 ? text[0] : null);
        }
    }

    /// <summary>The request is what policies and the application will see.</summary>
    public static void Prepared(ServerExchange exchange, RequestRecord record)
    {
        record.Method = exchange.Method;
        record.Path = exchange.Path;
        record.Authority = exchange.Authority;
        record.Scheme = exchange.Scheme;
        record.RemoteAddress = exchange.RemoteAddress;
        record.Span = exchange.Context.Features.Get<IHttpActivityFeature>()?.Activity;
        var headers = exchange.Context.Request.Headers;
        var id = headers.TryGetValue(RequestIds.Header, out var ids) && ids is [{ Length: > 0 and <= RequestIds.MaxLength } only] ? only : null;
        record.RequestId = id;
        record.Begin();
        if (!ReferenceEquals(id, record.RequestId))
        {
            // It says by now why the request is traced.
            headers[RequestIds.Header] = record.RequestId;
        }
    }

    /// <summary>Filters and routes have said what becomes of it.</summary>
    public static void Decided(ServerExchange exchange, RequestRecord record)
    {
        record.VirtualHost = exchange.Route.Host?.Name;
        record.Route = exchange.Route.Route;
        record.Flags = exchange.Flags ?? "";
        if (record.Signals.ReadsMetadata)
        {
            record.Metadata = exchange.Exchange.LendMetadata();
        }

        if (exchange.Reply is { } reply)
        {
            record.Details = reply.Details;
            record.GrpcStatus = record.IsGrpc ? LocalReplies.GrpcStatus(reply) : -1;
        }
        else
        {
            record.Details = "via_upstream";
            record.Attempts = 1;
            record.UpstreamBegan = record.Time.GetTimestamp();
        }
    }

    private static void End(CountedResponseBody body)
    {
        var (context, record) = (body.Context, body.Record);
        var response = context.Response;
        record.ResponseBytes = HttpMethods.IsHead(context.Request.Method) ? 0 : body.Bytes;
        record.ResponseMessages = body.Messages;
        record.Response = context;
        record.ResponseHeaders = ResponseHeaderReader.Instance;
        record.Status = response.StatusCode;
        if (record.IsGrpc && record.GrpcStatus < 0)
        {
            record.GrpcStatus = GrpcStatusOf(context);
        }

        if (context.RequestAborted.IsCancellationRequested)
        {
            record.Status = response.HasStarted ? response.StatusCode : 0;
            record.Flags = record.Flags.Length == 0 ? "DC" : $"{record.Flags},DC";
            record.Details = LocalReply.CallerGone;
        }

        if (record.Span is { IsAllDataRequested: true } span && (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText is { } template)
        {
            span.SetTag("http.route", template);
        }

        body.End();
        record.Release();
    }

    // What has a length has said so; what has none, or is made of messages, is counted as the application reads it.
    private static CountedRequestBody? CountRequest(HttpContext context, RequestRecord record)
    {
        if (context.Request.ContentLength is { } length && !(record.IsGrpc && length > 0))
        {
            record.RequestBytes = length;
        }
        else if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true })
        {
            var body = new CountedRequestBody(context.Request.Body, record);
            context.Request.Body = body;
            return body;
        }

        record.RequestEnded = record.Began;
        return null;
    }

    private static int GrpcStatusOf(HttpContext context)
        => (context.Response.Headers.TryGetValue("grpc-status", out var status)
                || (context.Features.Get<IHttpResponseTrailersFeature>()?.Trailers is { } trailers && trailers.TryGetValue("grpc-status", out status)))
            && int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
}
