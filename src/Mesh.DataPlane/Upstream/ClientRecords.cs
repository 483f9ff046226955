using System.Globalization;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Telemetry;

namespace Mesh.DataPlane.Upstream;

/// <summary>Fills in the records of the client's door: at the beginning, when there is a response or a reply, and when there will be none.</summary>
internal static class ClientRecords
{
    /// <summary>A record of a request that is about to be routed; <see langword="null"/> when nobody wants to know of it.</summary>
    public static RequestRecord? Begin(HostEntry host, HttpRequestMessage request)
    {
        if (host.State.Signals?.Begin() is not { } record)
        {
            return null;
        }

        var uri = request.RequestUri!;
        record.Request = request;
        record.RequestHeaders = HttpRequestHeaderReader.Instance;
        record.Method = request.Method.Method;
        record.Path = uri.PathAndQuery;
        record.Authority = host.Authority;
        record.Scheme = RequestScheme.Of(uri);
        record.Protocol = request.Version;
        record.IsGrpc = LocalReplies.IsGrpc(request);
        record.Begin();
        return record;
    }

    /// <summary>Where the request goes, and what is known of its body before the message is given back.</summary>
    public static void Conclude(AttemptInput input, RequestRecord record)
    {
        if (input.Result.Input is { } last)
        {
            Route(last.Decision, record);
            record.Attempts = input.Attempts;
        }
        else
        {
            Route(input.Decision, record);
        }

        if (input.Body is { } body)
        {
            record.Body = body;
        }
        else
        {
            record.RequestEnded = record.UpstreamBegan;
            record.RequestBytes = LengthOf(input.Request.Content);
        }
    }

    /// <summary>There is a response of an upstream; the record ends with its body.</summary>
    public static void Answer(AttemptInput input, RequestRecord record, HttpResponseMessage response, UpstreamRequest upstream)
    {
        Conclude(input, record);
        record.Response = response;
        record.ResponseHeaders = HttpResponseHeaderReader.Instance;
        record.ResponseTrailers = HttpResponseHeaderReader.Trailers;
        record.Status = (int)response.StatusCode;
        record.UpstreamProtocol = response.Version;
        record.Details = "via_upstream";
        input.Record = null;
        upstream.Tell(record);
    }

    /// <summary>The mesh answers; its body is there already.</summary>
    public static void Reply(AttemptInput input, RequestRecord record, LocalReply reply, HttpResponseMessage response)
    {
        Conclude(input, record);
        if (reply.Flags is "UF" or "UF,URX" or "UF,UO")
        {
            record.TransportFailure = reply.Body;
        }

        input.Record = null;
        Reply(record, reply, response);
        record.Release();
    }

    public static void Reply(RequestRecord record, LocalReply reply, HttpResponseMessage response)
    {
        record.Response = response;
        record.ResponseHeaders = HttpResponseHeaderReader.Instance;
        record.Status = (int)response.StatusCode;
        record.Flags = reply.Flags;
        record.Details = reply.Details;
        record.GrpcStatus = record.IsGrpc ? LocalReplies.GrpcStatus(reply) : -1;
        record.ResponseBytes = response.Content.Headers.ContentLength ?? 0;
    }

    /// <summary>Nothing comes of the request but an exception.</summary>
    /// <returns>Always <see langword="false"/>, to stand in an exception filter.</returns>
    public static bool Fail(AttemptInput input, CancellationToken caller)
    {
        if (input.Record is { } record)
        {
            Conclude(input, record);
            input.Record = null;
            Fail(record, caller);
            record.Release();
        }

        return false;
    }

    public static void Fail(RequestRecord record, CancellationToken caller)
    {
        // What the caller's own content throws is, to whoever watches from outside, a caller that has gone as well.
        record.Flags = "DC";
        record.Details = caller.IsCancellationRequested ? LocalReply.CallerGone : "downstream_remote_disconnect";
    }

    /// <summary>The response is a redirect that is followed here, by a request with a record of its own.</summary>
    public static void Redirect(AttemptInput input, RequestRecord record, HttpResponseMessage response)
    {
        Conclude(input, record);
        input.Record = null;
        record.Response = response;
        record.ResponseHeaders = HttpResponseHeaderReader.Instance;
        record.Status = (int)response.StatusCode;
        record.UpstreamProtocol = response.Version;
        record.Details = "internal_redirect";
        record.Release();
    }

    /// <summary>What filters have made of the response, or have answered in its place.</summary>
    public static void Settle(RequestRecord record, ClientExchange exchange)
    {
        var request = exchange.Request;
        if (record.Signals.ReadsMetadata)
        {
            record.Metadata = exchange.Exchange.LendMetadata();
        }

        if (exchange.Response is not { } response)
        {
            return;
        }

        if (RequestOutcome.ReplyTo(request) is { } reply && record.Details != reply.Details)
        {
            Route(exchange.Decision, record);
            Reply(record, reply, response);
        }

        record.Response = response;
        record.Status = (int)response.StatusCode;
        record.Flags = exchange.FlagsOf(record.Flags);
    }

    /// <summary>The gRPC status of a response that has ended: among its headers, or its trailers.</summary>
    public static int GrpcStatusOf(HttpResponseMessage response)
        => (response.Headers.NonValidated.TryGetValues("grpc-status", out var values) || response.TrailingHeaders.NonValidated.TryGetValues("grpc-status", out values))
            && int.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var status) ? status : -1;

    /// <summary>What has been sent has had its length written down; the content itself may be gone.</summary>
    public static long LengthOf(HttpContent? content)
        => content is not null && content.Headers.NonValidated.TryGetValues("Content-Length", out var values)
            && long.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length : 0;

    private static void Route(in Decision decision, RequestRecord record)
    {
        record.VirtualHost = decision.Host?.VirtualHost?.Name;
        record.Route = decision.Route;
        record.Cluster = decision.Cluster;
        record.ClusterName = decision.Cluster?.Name ?? decision.ClusterHeader;
        record.Endpoint = decision.Endpoint;
    }
}
