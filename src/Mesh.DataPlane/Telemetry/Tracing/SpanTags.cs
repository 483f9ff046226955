using System.Diagnostics;
using System.Globalization;
using System.Net;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>
/// What spans say: OpenTelemetry's conventions for HTTP and RPC, the tags of Envoy and Istio that people search for, and the mesh's own decision.
/// Values of headers are bounded.
/// </summary>
internal static class SpanTags
{
    // Who sends more does not want to be read.
    private const int MaxValueLength = 256;

    private static readonly HeaderName UserAgent = new("user-agent");
    private static readonly HeaderName DownstreamCluster = new("x-envoy-downstream-service-cluster");
    private static readonly HeaderName OriginalPath = new("x-envoy-original-path");
    private static readonly object[] Codes = [.. Enumerable.Range(0, 600).Select(code => (object)code)];
    private static readonly string[] CodeTexts = [.. Enumerable.Range(0, 600).Select(code => code.ToString(CultureInfo.InvariantCulture))];

    /// <summary>What can be said before the request goes anywhere: samplers of applications see it.</summary>
    public static KeyValuePair<string, object?>[] OfStart(RequestRecord record, bool redacts)
    {
        var (host, port) = HostOf(record);
        return
        [
            new("http.request.method", MethodOf(record)),
            new("server.address", host),
            new("server.port", Number(port)),
            new("url.full", Url(record, redacts, int.MaxValue)),
        ];
    }

    /// <summary>The same of a request that was recorded without asking anybody, and all the rest.</summary>
    public static void Write(Activity span, RequestRecord record, TracingSettings settings, TracedWorkload workload, bool redacts)
    {
        var isClient = record.Reporter == Reporter.Source;
        WriteConventions(span, record, isClient, redacts);
        WriteEnvoy(span, record, settings, workload, isClient, redacts);
        WriteMesh(span, record, isClient);
        WriteStatus(span, record, isClient);
        foreach (var tag in record.Route?.Policy.Tracing is { CustomTags.Length: > 0 } route ? [.. settings.CustomTags, .. route.CustomTags] : settings.CustomTags)
        {
            if (tag.ValueOf(record, workload) is { } value)
            {
                span.SetTag(tag.Name, Bounded(value));
            }
        }
    }

    /// <summary>The name of a span that nobody has named.</summary>
    public static string NameOf(RequestRecord record)
        => record.IsGrpc && GrpcPath(record.Path) is { } path ? path : MethodOf(record) is "_OTHER" ? "HTTP" : record.Method;

    private static void WriteConventions(Activity span, RequestRecord record, bool isClient, bool redacts)
    {
        var method = MethodOf(record);
        span.SetTag("http.request.method", method);
        if (method == "_OTHER")
        {
            span.SetTag("http.request.method_original", Bounded(record.Method));
        }

        var (host, port) = HostOf(record);
        span.SetTag("server.address", host);
        span.SetTag("server.port", Number(port));
        if (isClient)
        {
            span.SetTag("url.full", Url(record, redacts, int.MaxValue));
            if (record.Endpoint is { } endpoint && LogicalHost.AddressOf(endpoint.Resource.Address) is IPEndPoint peer)
            {
                span.SetTag("network.peer.address", peer.Address.ToString());
                span.SetTag("network.peer.port", Number(peer.Port));
            }

            if (record.Attempts > 1)
            {
                span.SetTag("http.request.resend_count", Number(record.Attempts - 1));
            }
        }
        else
        {
            var path = record.Path.AsSpan();
            var query = path.IndexOf('?');
            span.SetTag("url.scheme", record.Scheme);
            span.SetTag("url.path", Bounded(query < 0 ? record.Path : record.Path[..query]));
            if (query >= 0)
            {
                span.SetTag("url.query", redacts ? "*" : Bounded(record.Path[(query + 1)..]));
            }

            if (record.Connection?.RemoteEndPoint is { } peer)
            {
                span.SetTag("network.peer.address", peer.Address.ToString());
                span.SetTag("network.peer.port", Number(peer.Port));
                span.SetTag("client.address", (record.RemoteAddress ?? peer.Address).ToString());
            }
        }

        if ((isClient ? record.UpstreamProtocol : record.Protocol) is { } version)
        {
            span.SetTag("network.protocol.version", VersionOf(version));
        }

        if (record.Status > 0)
        {
            span.SetTag("http.response.status_code", Number(record.Status));
        }

        if (record.IsGrpc && GrpcPath(record.Path) is { } grpc)
        {
            span.SetTag("rpc.system", "grpc");
            span.SetTag("rpc.service", grpc[..grpc.LastIndexOf('/')]);
            span.SetTag("rpc.method", grpc[(grpc.LastIndexOf('/') + 1)..]);
            if (record.GrpcStatus >= 0)
            {
                span.SetTag("rpc.grpc.status_code", Number(record.GrpcStatus));
            }
        }
    }

    private static void WriteEnvoy(Activity span, RequestRecord record, TracingSettings settings, TracedWorkload workload, bool isClient, bool redacts)
    {
        span.SetTag("component", "proxy");
        if (workload.NodeId.Length > 0)
        {
            span.SetTag("node_id", workload.NodeId);
        }

        if (workload.Zone.Length > 0)
        {
            span.SetTag("zone", workload.Zone);
        }

        if (record.RequestId is { } id)
        {
            span.SetTag("guid:x-request-id", Bounded(id));
        }

        span.SetTag("http.url", Url(record, redacts, settings.MaxPathLength));
        span.SetTag("http.method", Bounded(record.Method));
        span.SetTag("http.protocol", record.Protocol is { } version ? $"HTTP/{(version.Major >= 2 ? VersionOf(version) : version.ToString(2))}" : "-");
        span.SetTag("downstream_cluster", HeaderOf(record, DownstreamCluster) ?? "-");
        span.SetTag("user_agent", HeaderOf(record, UserAgent) ?? "-");
        span.SetTag("request_size", Text(record.RequestBytes));
        span.SetTag("response_size", Text(record.ResponseBytes));
        span.SetTag("http.status_code", Text(record.Status));
        span.SetTag("response_flags", record.Flags.Length > 0 ? record.Flags : "-");
        if (HeaderOf(record, TraceSampling.ClientTraceIdName) is { } clientTrace)
        {
            span.SetTag("guid:x-client-trace-id", clientTrace);
        }

        if (record.ClusterName is { } cluster)
        {
            span.SetTag("upstream_cluster", cluster);
            span.SetTag("upstream_cluster.name", record.ObservedCluster);
        }

        if (record.Endpoint is { } endpoint)
        {
            span.SetTag("upstream_address", endpoint.Resource.AddressText);
        }

        if (!isClient && record.Connection?.RemoteEndPoint is { } peer)
        {
            span.SetTag("peer.address", peer.Address.ToString());
        }

        if (record.IsGrpc && record.GrpcStatus >= 0)
        {
            span.SetTag("grpc.status_code", Text(record.GrpcStatus));
        }

        if (settings.Sampling is not null)
        {
            // The configuration has tags of its own for the rest, or wants none.
            return;
        }

        span.SetTag("istio.canonical_service", workload.CanonicalName);
        span.SetTag("istio.canonical_revision", workload.CanonicalRevision);
        span.SetTag("istio.mesh_id", workload.MeshId);
        span.SetTag("istio.namespace", workload.Namespace);
        span.SetTag("istio.cluster_id", workload.ClusterId);
    }

    private static void WriteMesh(Activity span, RequestRecord record, bool isClient)
    {
        if (record.Route is { Name.Length: > 0 } route)
        {
            span.SetTag("mesh.route", route.Name);
        }

        span.SetTag("mesh.response_flags", record.Flags.Length > 0 ? record.Flags : "-");
        if (record.Details.Length > 0)
        {
            span.SetTag("mesh.response_code_details", record.Details);
        }

        if (!isClient)
        {
            return;
        }

        // outbound|port|subset|host
        if (record.ClusterName?.Split('|') is [_, _, { Length: > 0 } subset, _])
        {
            span.SetTag("mesh.subset", subset);
        }

        if (record.Endpoint is { } endpoint)
        {
            span.SetTag("mesh.endpoint", endpoint.Resource.AddressText);
        }

        span.SetTag("mesh.attempts", Number(record.Attempts));
    }

    // A server is not to blame for what its client did wrong (OpenTelemetry); Envoy's tag tells of 5xx alone.
    private static void WriteStatus(Activity span, RequestRecord record, bool isClient)
    {
        if (record.Status is 0 or >= 500)
        {
            span.SetTag("error", "true");
        }

        string? error = null;
        if (record.Status == 0)
        {
            error = record.Flags.Length > 0 ? record.Flags : "_OTHER";
        }
        else if (record.Status >= (isClient ? 400 : 500))
        {
            error = Text(record.Status);
        }
        else if (record.GrpcStatus > 0 && (isClient || IsServerFault(record.GrpcStatus)))
        {
            error = Text(record.GrpcStatus);
        }

        if (error is not null)
        {
            span.SetTag("error.type", error);
            span.SetStatus(ActivityStatusCode.Error, record.Flags.Length > 0 ? record.Details : null);
        }
    }

    // UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS.
    private static bool IsServerFault(int status) => status is 2 or 4 or 12 or 13 or 14 or 15;

    private static string MethodOf(RequestRecord record)
        => record.Method is "GET" or "POST" or "PUT" or "DELETE" or "PATCH" or "HEAD" or "OPTIONS" or "CONNECT" or "TRACE" or "QUERY" ? record.Method : "_OTHER";

    private static string? GrpcPath(string path)
        => path.Length > 1 && path[0] == '/' && path.LastIndexOf('/') > 0 && !path.Contains('?', StringComparison.Ordinal) ? Bounded(path[1..]) : null;

    private static (string Host, int Port) HostOf(RequestRecord record)
    {
        if (record.Request is HttpRequestMessage { RequestUri: { } uri })
        {
            return (uri.IdnHost, uri.Port);
        }

        var authority = record.Authority;
        var colon = authority.LastIndexOf(':');
        return colon > authority.LastIndexOf(']') && int.TryParse(authority.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? (Bounded(authority[..colon]), port)
            : (Bounded(authority), record.Scheme == Uri.UriSchemeHttps ? 443 : 80);
    }

    private static string Url(RequestRecord record, bool redacts, int maxPath)
    {
        var path = maxPath == int.MaxValue ? record.Path : HeaderOf(record, OriginalPath) ?? record.Path;
        var query = path.IndexOf('?');
        if (redacts && query >= 0)
        {
            path = path[..query] + "?*";
        }

        return $"{record.Scheme}://{record.Authority}{(path.Length > maxPath ? path[..maxPath] : path)}";
    }

    private static string VersionOf(Version version) => version.Major >= 2 && version.Minor <= 0 ? version.Major.ToString(CultureInfo.InvariantCulture) : version.ToString(2);

    private static string? HeaderOf(RequestRecord record, HeaderName name)
        => record.Request is { } request && record.RequestHeaders?.First(request, name) is { Length: > 0 } value ? Bounded(value) : null;

    private static string Bounded(string value) => value.Length > MaxValueLength ? value[..MaxValueLength] : value;

    private static object Number(int value) => (uint)value < (uint)Codes.Length ? Codes[value] : value;

    private static string Text(long value) => value is >= 0 and < 600 ? CodeTexts[value] : value.ToString(CultureInfo.InvariantCulture);
}
