using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Expressions;

/// <summary>What expressions may ask of a request, by Envoy's names of attributes (<c>request.path</c>). Those of the end are there when it is over.</summary>
internal static class CelAttributes
{
    private static readonly HeaderName Referer = new("referer");
    private static readonly HeaderName UserAgent = new("user-agent");
    private static readonly HeaderName RequestId = new("x-request-id");

    /// <summary>By object and member; what stands alone, by its name.</summary>
    public static FrozenDictionary<string, CelAttribute> All { get; } = new Dictionary<string, CelAttribute>(StringComparer.Ordinal)
    {
        ["request.path"] = (in FormatContext c) => CelValue.Of(c.PathAndQuery),
        ["request.url_path"] = (in FormatContext c) => CelValue.Of(Part(c.PathAndQuery, query: false)),
        ["request.query"] = (in FormatContext c) => CelValue.Of(Part(c.PathAndQuery, query: true)),
        ["request.host"] = (in FormatContext c) => CelValue.Of(c.Authority),
        ["request.scheme"] = (in FormatContext c) => CelValue.Of(c.Scheme),
        ["request.method"] = (in FormatContext c) => CelValue.Of(c.Method),
        ["request.headers"] = (in FormatContext _) => CelValue.Of(CelMaps.RequestHeaders),
        ["request.referer"] = (in FormatContext c) => CelValue.Of(c.RequestHeader(Referer)),
        ["request.useragent"] = (in FormatContext c) => CelValue.Of(c.RequestHeader(UserAgent)),
        ["request.id"] = (in FormatContext c) => CelValue.Of(c.Record?.RequestId ?? c.RequestHeader(RequestId)),
        ["request.protocol"] = (in FormatContext c) => CelValue.Of(FormatCommands.Protocol(c.Protocol)),
        ["request.time"] = (in FormatContext c) => c.StartTime is { } time ? CelValue.Of(time) : default,
        ["request.duration"] = (in FormatContext c) => c.Record is { } record ? CelValue.Of(record.Duration) : default,
        ["request.total_size"] = (in FormatContext c) => c.Record is { } record && EndCommands.RequestHeaders(record) is { } headers ? CelValue.Of(record.RequestBytes + headers) : default,
        ["request.size"] = (in FormatContext c) => c.Record is { } record ? CelValue.Of(record.RequestBytes) : default,

        ["response.code"] = (in FormatContext c) => c.Status is > 0 and var status ? CelValue.Of((long)status) : default,
        ["response.code_details"] = (in FormatContext c) => CelValue.Of(c.ResponseCodeDetails),
        ["response.flags"] = (in FormatContext c) => c.ResponseFlags is { } flags ? CelValue.Of(ResponseFlags.Bits(flags)) : default,
        ["response.grpc_status"] = (in FormatContext c) => GrpcStatusFormat.StatusOf(c) is { } status ? CelValue.Of((long)status) : default,
        ["response.headers"] = (in FormatContext _) => CelValue.Of(CelMaps.ResponseHeaders),
        ["response.trailers"] = (in FormatContext _) => CelValue.Of(CelMaps.ResponseTrailers),
        ["response.total_size"] = (in FormatContext c) => c.Record is { } record && EndCommands.ResponseHeaders(record) is { } headers
            ? CelValue.Of(record.ResponseBytes + headers + EndCommands.ResponseTrailers(record)) : default,
        ["response.size"] = (in FormatContext c) => c.Record is { } record ? CelValue.Of(record.ResponseBytes) : default,
        ["response.backend_latency"] = (in FormatContext c) => c.Record is { UpstreamBegan: > 0, ResponseBegan: > 0 } record
            ? CelValue.Of(c.Time.GetElapsedTime(record.UpstreamBegan, record.ResponseBegan)) : default,

        ["connection.id"] = (in FormatContext c) => c.Connection is { } connection ? CelValue.Of(connection.Id) : default,
        ["connection.mtls"] = (in FormatContext c) => CelValue.Of(c.Connection?.IsMutualTls == true),
        ["connection.requested_server_name"] = OfConnection("REQUESTED_SERVER_NAME"),
        ["connection.tls_version"] = OfConnection("DOWNSTREAM_TLS_VERSION"),
        ["connection.subject_peer_certificate"] = (in FormatContext c) => c.Connection is { Subject.Length: > 0 } connection ? CelValue.Of(connection.Subject) : default,
        ["connection.uri_san_peer_certificate"] = (in FormatContext c) => c.Connection is { UriNames: [var first, ..] } ? CelValue.Of(first) : default,
        ["connection.dns_san_peer_certificate"] = (in FormatContext c) => c.Connection is { DnsNames: [var first, ..] } ? CelValue.Of(first) : default,
        ["connection.uri_san_local_certificate"] = (in FormatContext c) => CelValue.Of(c.Connection?.LocalUriName),
        ["connection.subject_local_certificate"] = (in FormatContext c) => c.Connection is { LocalSubject.Length: > 0 } connection ? CelValue.Of(connection.LocalSubject) : default,
        ["connection.dns_san_local_certificate"] = (in FormatContext c) => c.Connection?.LocalCertificate is { DnsNames: [var first, ..] } ? CelValue.Of(first) : default,
        ["connection.termination_details"] = (in FormatContext c) => CelValue.Of(c.Record?.TerminationDetails),
        ["connection.transport_failure_reason"] = (in FormatContext c) => CelValue.Of(c.Record?.DownstreamTransportFailure),
        ["connection.sha256_peer_certificate_digest"] = (in FormatContext c) => c.Connection is { PeerSha256.Length: > 0 } connection ? CelValue.Of(connection.PeerSha256) : default,

        ["source.address"] = OfConnection("DOWNSTREAM_REMOTE_ADDRESS"),
        ["source.port"] = Port("DOWNSTREAM_REMOTE_PORT"),
        ["destination.address"] = OfConnection("DOWNSTREAM_LOCAL_ADDRESS"),
        ["destination.port"] = Port("DOWNSTREAM_LOCAL_PORT"),

        ["upstream.address"] = (in FormatContext c) => CelValue.Of(AddressOf(c)?.ToString()),
        ["upstream.port"] = (in FormatContext c) => AddressOf(c) is IPEndPoint address ? CelValue.Of((long)address.Port) : default,
        ["upstream.transport_failure_reason"] = (in FormatContext c) => CelValue.Of(c.Record?.TransportFailure),
        ["upstream.request_attempt_count"] = (in FormatContext c) => c.Attempts is { } attempts ? CelValue.Of((long)attempts) : default,
        ["upstream.locality"] = (in FormatContext c) => CelValue.Of(c.Endpoint?.Locality),

        ["metadata"] = (in FormatContext _) => CelValue.Of(CelMaps.DynamicMetadata),

        ["xds.filter_chain_name"] = (in FormatContext c) => c.Connection is { FilterChainName.Length: > 0 } connection ? CelValue.Of(connection.FilterChainName) : default,
        ["xds.route_metadata"] = (in FormatContext c) => c.Route?.Metadata is { } metadata ? CelValue.Of(CelMaps.Of(metadata)) : default,
        ["xds.cluster_metadata"] = (in FormatContext c) => c.Record?.Cluster?.Current.Policy?.Metadata is { } metadata ? CelValue.Of(CelMaps.Of(metadata)) : default,
        ["xds.upstream_host_metadata"] = (in FormatContext c) => c.Endpoint?.Resource.Metadata is { } metadata ? CelValue.Of(CelMaps.Of(metadata)) : default,
        ["xds.cluster_name"] = (in FormatContext c) => CelValue.Of(c.Cluster),
        ["xds.route_name"] = (in FormatContext c) => CelValue.Of(c.Route?.Name),
        ["xds.virtual_host_name"] = (in FormatContext c) => CelValue.Of(c.VirtualHost),
        ["xds.listener_direction"] = (in FormatContext c) => c.Record is { } record ? CelValue.Of(record.Reporter == Telemetry.Reporter.Source ? 2L : 1L) : default,
    }.Concat(CelPeers.All).ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>What has members.</summary>
    public static FrozenSet<string> Objects { get; } = All.Keys.Where(k => k.Contains('.')).Select(k => k[..k.IndexOf('.')]).ToFrozenSet(StringComparer.Ordinal);

    private static CelAttribute OfConnection(string command)
    {
        var value = ConnectionCommands.All[command];
        return (in FormatContext c) => CelValue.Of(value(c));
    }

    private static CelAttribute Port(string command)
    {
        var value = ConnectionCommands.All[command];
        return (in FormatContext c) => long.TryParse(value(c), NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? CelValue.Of(port) : default;
    }

    private static EndPoint? AddressOf(in FormatContext context) => context.Endpoint is { } endpoint ? LogicalHost.AddressOf(endpoint.Resource.Address) : null;

    private static string? Part(string? path, bool query)
    {
        if (path is null)
        {
            return null;
        }

        var end = path.IndexOfAny(['?', '#']);
        if (!query)
        {
            return end < 0 ? path : path[..end];
        }

        if (end < 0 || path[end] != '?')
        {
            return "";
        }

        var fragment = path.IndexOf('#', end);
        return fragment < 0 ? path[(end + 1)..] : path[(end + 1)..fragment];
    }
}
