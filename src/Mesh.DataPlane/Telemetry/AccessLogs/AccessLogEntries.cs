using System.Net;
using Envoy.Config.Core.V3;
using Envoy.Data.Accesslog.V3;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Matching;
using SocketAddress = Envoy.Config.Core.V3.SocketAddress;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Makes the messages of the access log service.</summary>
internal static class AccessLogEntries
{
    private static readonly HeaderName UserAgent = new("user-agent");
    private static readonly HeaderName Referer = new("referer");
    private static readonly HeaderName ForwardedFor = new("x-forwarded-for");
    private static readonly HeaderName OriginalPath = new("x-envoy-original-path");

    public static HTTPAccessLogEntry Http(in FormatContext context, RequestRecord record, AccessLoggerSettings.Grpc settings, HeaderNames names)
    {
        var entry = new HTTPAccessLogEntry
        {
            CommonProperties = Common(context, record, settings.Collector.Tags),
            ProtocolVersion = record.Protocol switch
            {
                { Major: 1, Minor: 0 } => HTTPAccessLogEntry.Types.HTTPVersion.Http10,
                { Major: 1 } => HTTPAccessLogEntry.Types.HTTPVersion.Http11,
                { Major: 2 } => HTTPAccessLogEntry.Types.HTTPVersion.Http2,
                { Major: 3 } => HTTPAccessLogEntry.Types.HTTPVersion.Http3,
                _ => HTTPAccessLogEntry.Types.HTTPVersion.ProtocolUnspecified,
            },
            Request = new HTTPRequestProperties
            {
                RequestMethod = System.Enum.TryParse<RequestMethod>(record.Method, ignoreCase: true, out var method) && System.Enum.IsDefined(method) ? method : RequestMethod.MethodUnspecified,
                Scheme = record.Scheme,
                Authority = record.Authority,
                Path = record.Path,
                UserAgent = context.RequestHeader(UserAgent) ?? "",
                Referer = context.RequestHeader(Referer) ?? "",
                ForwardedFor = context.RequestHeader(ForwardedFor) ?? "",
                RequestId = record.RequestId ?? "",
                OriginalPath = context.RequestHeader(OriginalPath) ?? "",
                RequestBodyBytes = (ulong)record.RequestBytes,
                RequestHeadersBytes = (ulong)(record.Request is { } request ? record.RequestHeaders?.ByteSize(request) ?? 0 : 0),
            },
            Response = new HTTPResponseProperties
            {
                ResponseCode = record.Status > 0 ? (uint)record.Status : null,
                ResponseBodyBytes = (ulong)record.ResponseBytes,
                ResponseHeadersBytes = (ulong)(record.Response is { } response ? record.ResponseHeaders?.ByteSize(response) ?? 0 : 0),
                ResponseCodeDetails = record.Details,
            },
        };
        foreach (var name in names.Request)
        {
            Put(entry.Request.RequestHeaders, name, context.RequestHeader(name));
        }

        foreach (var name in names.Response)
        {
            Put(entry.Response.ResponseHeaders, name, context.ResponseHeader(name));
        }

        foreach (var name in names.Trailers)
        {
            Put(entry.Response.ResponseTrailers, name, context.ResponseTrailer(name));
        }

        return entry;
    }

    public static TCPAccessLogEntry Tcp(in FormatContext context, RequestRecord record, AccessLoggerSettings.Grpc settings)
        => new()
        {
            CommonProperties = Common(context, record, settings.Collector.Tags),
            ConnectionProperties = new ConnectionProperties { ReceivedBytes = (ulong)record.RequestBytes, SentBytes = (ulong)record.ResponseBytes },
        };

    private static AccessLogCommon Common(in FormatContext context, RequestRecord record, IReadOnlyList<CustomTag> tags)
    {
        var common = new AccessLogCommon
        {
            StartTime = Timestamp.FromDateTimeOffset(context.StartTime ?? record.StartTime),
            Duration = Duration.FromTimeSpan(record.Duration),
            TimeToLastRxByte = Since(record, record.RequestEnded),
            TimeToFirstUpstreamTxByte = Since(record, record.UpstreamBegan),
            TimeToLastUpstreamTxByte = record.UpstreamBegan > 0 ? Since(record, record.RequestEnded) : null,
            TimeToFirstUpstreamRxByte = record.UpstreamBegan > 0 ? Since(record, record.ResponseBegan) : null,
            TimeToLastUpstreamRxByte = record.UpstreamBegan > 0 ? Since(record, record.Ended) : null,
            TimeToFirstDownstreamTxByte = Since(record, record.ResponseBegan),
            TimeToLastDownstreamTxByte = Since(record, record.Ended),
            DownstreamRemoteAddress = AddressOf(Remote(record)),
            DownstreamDirectRemoteAddress = AddressOf(record.Connection?.RemoteEndPoint),
            DownstreamLocalAddress = AddressOf(record.Connection?.LocalEndPoint),
            UpstreamRemoteAddress = record.Endpoint is { } endpoint ? AddressOf(LogicalHost.AddressOf(endpoint.Resource.Address)) : null,
            UpstreamLocalAddress = AddressOf(record.UpstreamLocal),
            UpstreamCluster = record.ClusterName ?? "",
            UpstreamTransportFailureReason = record.TransportFailure ?? "",
            DownstreamTransportFailureReason = record.DownstreamTransportFailure ?? "",
            RouteName = record.Route?.Name ?? "",
            UpstreamRequestAttemptCount = (uint)record.Attempts,
            ConnectionTerminationDetails = record.TerminationDetails ?? "",
            StreamId = record.RequestId ?? "",
            AccessLogType = record.IsConnection ? AccessLogType.TcpConnectionEnd : AccessLogType.DownstreamEnd,
            ResponseFlags = FlagsMessage.Of(record.Flags),
            TlsProperties = record.Connection is { IsTls: true } connection ? Tls(connection) : null,
        };
        if (record.Metadata is { Count: > 0 } metadata)
        {
            common.Metadata = new Metadata();
            foreach (var (name, value) in metadata)
            {
                common.Metadata.FilterMetadata[name] = Struct.Parser.ParseJson(value.ToJsonString());
            }
        }

        foreach (var tag in tags)
        {
            if (tag.ValueOf(context) is { } value)
            {
                common.CustomTags[tag.Name] = value;
            }
        }

        return common;
    }

    private static TLSProperties Tls(ConnectionFacts connection)
    {
        var tls = new TLSProperties
        {
            TlsVersion = TlsNames.Version(connection.TlsProtocol) switch
            {
                "TLSv1.3" => TLSProperties.Types.TLSVersion.Tlsv13,
                "TLSv1.2" => TLSProperties.Types.TLSVersion.Tlsv12,
                "TLSv1.1" => TLSProperties.Types.TLSVersion.Tlsv11,
                "TLSv1" => TLSProperties.Types.TLSVersion.Tlsv1,
                _ => TLSProperties.Types.TLSVersion.VersionUnspecified,
            },
            TlsCipherSuite = connection.TlsCipherSuite is { } suite ? (uint)suite : null,
            TlsSniHostname = connection.RequestedServerName,
        };
        if (connection.LocalUriName is { } local)
        {
            tls.LocalCertificateProperties = new TLSProperties.Types.CertificateProperties { SubjectAltName = { new TLSProperties.Types.CertificateProperties.Types.SubjectAltName { Uri = local } } };
        }

        if (connection.PeerCertificate is { } certificate)
        {
            tls.PeerCertificateProperties = new TLSProperties.Types.CertificateProperties
            {
                Subject = connection.Subject,
                Issuer = Inbound.Http.DistinguishedNames.Text(certificate.IssuerName),
                SubjectAltName =
                {
                    connection.UriNames.Select(n => new TLSProperties.Types.CertificateProperties.Types.SubjectAltName { Uri = n }),
                    connection.DnsNames.Select(n => new TLSProperties.Types.CertificateProperties.Types.SubjectAltName { Dns = n }),
                },
            };
        }

        return tls;
    }

    private static IPEndPoint? Remote(RequestRecord record)
        => record.RemoteAddress is not { } address ? record.Connection?.RemoteEndPoint
            : address.Equals(record.Connection?.RemoteEndPoint?.Address) ? record.Connection!.RemoteEndPoint : new IPEndPoint(address, 0);

    private static Duration? Since(RequestRecord record, long then) => then > 0 ? Duration.FromTimeSpan(record.Time.GetElapsedTime(record.Began, then)) : null;

    private static Address? AddressOf(EndPoint? address)
        => address switch
        {
            IPEndPoint ip => new Address { SocketAddress = new SocketAddress { Address = ip.Address.ToString(), PortValue = (uint)ip.Port } },
            DnsEndPoint dns => new Address { SocketAddress = new SocketAddress { Address = dns.Host, PortValue = (uint)dns.Port } },
            { } other => new Address { Pipe = new Pipe { Path = other.ToString() ?? "" } },
            null => null,
        };

    private static void Put(MapField<string, string> headers, HeaderName name, string? value)
    {
        if (value is not null)
        {
            headers[name.Value] = value;
        }
    }

    /// <summary>The names of the headers that are sent, made once.</summary>
    internal sealed class HeaderNames(AccessLoggerSettings.Grpc settings)
    {
        public HeaderName[] Request { get; } = [.. settings.RequestHeadersToLog.Select(n => new HeaderName(n))];

        public HeaderName[] Response { get; } = [.. settings.ResponseHeadersToLog.Select(n => new HeaderName(n))];

        public HeaderName[] Trailers { get; } = [.. settings.ResponseTrailersToLog.Select(n => new HeaderName(n))];
    }
}
