using Mesh.DataPlane.Formatting;

namespace Mesh.DataPlane.Upstream;

/// <summary>What formats may tell of a request that goes out of this process.</summary>
internal static class FormatContexts
{
    public static FormatContext Of(in Decision decision, HttpRequestMessage request, string authority, TimeProvider time, HttpResponseMessage? response = null)
        => new(time)
        {
            RequestHeaders = HttpRequestHeaderReader.Instance,
            Request = request,
            ResponseHeaders = HttpResponseHeaderReader.Instance,
            ResponseTrailers = HttpResponseHeaderReader.Trailers,
            Response = response,
            Method = request.Method.Method,
            PathAndQuery = request.RequestUri!.PathAndQuery,
            Authority = authority,
            Scheme = request.RequestUri.Scheme is "https" or "wss" ? "https" : "http",
            Protocol = request.Version,
            UpstreamProtocol = decision.Endpoint is null ? null : response?.Version,
            Route = decision.Route,
            VirtualHost = decision.Host?.VirtualHost?.Name,
            Cluster = decision.Cluster?.Name,
            ObservedCluster = decision.Cluster?.StatName,
            Endpoint = decision.Endpoint,
            Status = (int?)response?.StatusCode,
        };
}
