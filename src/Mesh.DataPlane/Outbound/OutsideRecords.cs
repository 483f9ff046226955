using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Outbound;

/// <summary>The records of requests to hosts that the mesh does not know, under the names of Istio's two clusters for them.</summary>
internal static class OutsideRecords
{
    /// <summary>A record of a request that goes on past the mesh, or is refused; <see langword="null"/> when nobody wants to know.</summary>
    public static RequestRecord? Begin(RequestSignals signals, HttpRequestMessage request, string authority, bool refused)
    {
        if (signals.Begin() is not { } record)
        {
            return null;
        }

        var uri = request.RequestUri!;
        record.Request = request;
        record.RequestHeaders = HttpRequestHeaderReader.Instance;
        record.Method = request.Method.Method;
        record.Path = uri.PathAndQuery;
        record.Authority = authority;
        record.Scheme = RequestScheme.Of(uri);
        record.Protocol = request.Version;
        record.IsGrpc = LocalReplies.IsGrpc(request);
        record.ClusterName = refused ? OutsideClusters.BlackHole : OutsideClusters.Passthrough;
        record.Begin();
        return record;
    }

    /// <summary>Somebody outside has answered; the record ends with the body.</summary>
    public static void Answer(RequestRecord record, HttpRequestMessage request, HttpResponseMessage response)
    {
        record.Attempts = 1;
        record.ResponseBegan = record.Time.GetTimestamp();
        record.RequestBytes = ClientRecords.LengthOf(request.Content);
        record.Response = response;
        record.ResponseHeaders = HttpResponseHeaderReader.Instance;
        record.ResponseTrailers = HttpResponseHeaderReader.Trailers;
        record.Status = (int)response.StatusCode;
        record.UpstreamProtocol = response.Version;
        record.Details = "via_upstream";
        response.Content = new MeshResponseContent(response.Content, UpstreamRequest.Begin(record));
    }

    /// <summary>The mesh refuses; <paramref name="response"/> is <see langword="null"/> where it can only end the connection.</summary>
    public static void Refuse(RequestRecord record, LocalReply reply, HttpResponseMessage? response)
    {
        if (response is not null)
        {
            ClientRecords.Reply(record, reply, response);
        }
        else
        {
            (record.Flags, record.Details) = (reply.Flags, reply.Details);
        }

        record.Release();
    }

    /// <summary>Nothing comes of it but an exception.</summary>
    public static void Fail(RequestRecord record, Exception exception, CancellationToken caller)
    {
        if (caller.IsCancellationRequested)
        {
            ClientRecords.Fail(record, caller);
        }
        else
        {
            record.Attempts = 1;
            record.Flags = exception is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError } ? "UF" : "UC";
            record.TransportFailure = (exception as HttpRequestException)?.HttpRequestError.ToString();
        }

        record.Release();
    }
}
