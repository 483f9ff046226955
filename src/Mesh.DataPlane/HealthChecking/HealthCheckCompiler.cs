using Envoy.Config.Core.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Upstream;
using Mesh.Filters;
using Mesh.Xds.Client;
using Mesh.Xds.Validation;
using AppendAction = Envoy.Config.Core.V3.HeaderValueOption.Types.HeaderAppendAction;
using Int64Range = Envoy.Type.V3.Int64Range;
using Payload = Envoy.Config.Core.V3.HealthCheck.Types.Payload;

namespace Mesh.DataPlane.HealthChecking;

/// <summary>Reads a cluster's active health check. As in Envoy there is one.</summary>
internal static class HealthCheckCompiler
{
    /// <returns><see langword="null"/> when the cluster has none.</returns>
    public static HealthCheckPolicy? Compile(IReadOnlyList<HealthCheck> messages, string path, List<string> notes)
    {
        if (messages.Count == 0)
        {
            return null;
        }

        if (messages.Count > 1)
        {
            throw new ResourceRejectedException(path, "several health checks of one cluster are not supported");
        }

        var message = messages[0];
        path += "[0]";
        var timeout = Positive(message.Timeout, path + ".timeout");
        if (message.AltPort > System.Net.IPEndPoint.MaxPort)
        {
            throw new ResourceRejectedException(path + ".alt_port", $"must be at most {System.Net.IPEndPoint.MaxPort}");
        }

        return new HealthCheckPolicy(
            Kind(message, timeout, path, notes),
            timeout,
            Positive(message.Interval, path + ".interval"),
            message.UnhealthyThreshold ?? throw new ResourceRejectedException(path + ".unhealthy_threshold", "must be set"),
            message.HealthyThreshold ?? throw new ResourceRejectedException(path + ".healthy_threshold", "must be set"))
        {
            Source = message.ToByteString(),
            InitialJitter = NotNegative(message.InitialJitter, path + ".initial_jitter"),
            IntervalJitter = NotNegative(message.IntervalJitter, path + ".interval_jitter"),
            IntervalJitterPercent = message.IntervalJitterPercent,
            NoTrafficInterval = Optional(message.NoTrafficInterval, path + ".no_traffic_interval") ?? TimeSpan.FromSeconds(60),
            NoTrafficHealthyInterval = Optional(message.NoTrafficHealthyInterval, path + ".no_traffic_healthy_interval"),
            UnhealthyInterval = Optional(message.UnhealthyInterval, path + ".unhealthy_interval"),
            UnhealthyEdgeInterval = Optional(message.UnhealthyEdgeInterval, path + ".unhealthy_edge_interval"),
            HealthyEdgeInterval = Optional(message.HealthyEdgeInterval, path + ".healthy_edge_interval"),
            AlternativePort = (ushort?)message.AltPort,
            TransportCriteria = Transports.TransportMatch.LabelsOf(message.TransportSocketMatchCriteria),
            Protocols = [.. message.TlsOptions?.AlpnProtocols ?? []],
            AlwaysLogFailures = message.AlwaysLogHealthCheckFailures,
            AlwaysLogSuccesses = message.AlwaysLogHealthCheckSuccess,
        };
    }

    private static HealthCheckKind Kind(HealthCheck message, TimeSpan timeout, string path, List<string> notes)
    {
        var reuse = message.ReuseConnection ?? true;
        return message.HealthCheckerCase switch
        {
            HealthCheck.HealthCheckerOneofCase.HttpHealthCheck => Http(message.HttpHealthCheck, reuse, path + ".http_health_check", notes),
            HealthCheck.HealthCheckerOneofCase.GrpcHealthCheck => new GrpcHealthCheck
            {
                ServiceName = message.GrpcHealthCheck.ServiceName,
                Authority = Authority(message.GrpcHealthCheck.Authority, path + ".grpc_health_check.authority"),
                InitialMetadata = Headers(message.GrpcHealthCheck.InitialMetadata, path + ".grpc_health_check.initial_metadata", notes),
                ReuseConnection = reuse,
                Timeout = timeout,
            },
            HealthCheck.HealthCheckerOneofCase.TcpHealthCheck => Tcp(message.TcpHealthCheck, reuse, path + ".tcp_health_check", notes),
            HealthCheck.HealthCheckerOneofCase.CustomHealthCheck
                => throw new ResourceRejectedException(path + ".custom_health_check", $"'{message.CustomHealthCheck.Name}' is not supported; without its check the hosts would pass for healthy"),
            _ => throw new ResourceRejectedException(path + ".health_checker", "must be set"),
        };
    }

    private static HttpHealthCheck Http(HealthCheck.Types.HttpHealthCheck message, bool reuse, string path, List<string> notes)
    {
        if (message.CodecClientType == Envoy.Type.V3.CodecClientType.Http3)
        {
            throw new ResourceRejectedException(path + ".codec_client_type", "HTTP/3 is not supported");
        }

        var target = RequestTarget.Sendable(message.Path) ?? throw new ResourceRejectedException(path + ".path", $"'{message.Path}' is not a path");

        var method = message.Method == RequestMethod.MethodUnspecified ? HttpMethod.Get : HttpMethod.Parse(message.Method.ToString().ToUpperInvariant());
        if (message.Send is not null && (method == HttpMethod.Get || method == HttpMethod.Head || method == HttpMethod.Delete || method == HttpMethod.Trace))
        {
            throw new ResourceRejectedException(path + ".send", $"{method} has no body; use POST, PUT, PATCH or OPTIONS");
        }

        var receive = Bytes(message.Receive, path + ".receive");
        var buffer = message.ResponseBufferSize ?? 1024;
        if (buffer > 0 && (ulong)receive.Sum(r => r.Length) > buffer)
        {
            throw new ResourceRejectedException(path + ".receive", $"is longer than response_buffer_size ({buffer})");
        }

        return new HttpHealthCheck
        {
            Method = method,
            Path = target,
            Host = Authority(message.Host, path + ".host"),
            Send = message.Send is null ? null : Bytes(message.Send, path + ".send"),
            Receive = receive,
            ResponseBufferSize = buffer,
            AddedHeaders = Headers(message.RequestHeadersToAdd, path + ".request_headers_to_add", notes),
            RemovedHeaders = [.. message.RequestHeadersToRemove.Select((h, i) => HeaderName.IsValid(h)
                ? h
                : throw new ResourceRejectedException($"{path}.request_headers_to_remove[{i}]", $"'{h}' is not the name of a header"))],
            ExpectedStatuses = message.ExpectedStatuses.Count == 0 ? [(200, 201)] : Ranges(message.ExpectedStatuses, path + ".expected_statuses"),
            RetriableStatuses = Ranges(message.RetriableStatuses, path + ".retriable_statuses"),
            Http2 = message.CodecClientType == Envoy.Type.V3.CodecClientType.Http2,
            ReuseConnection = reuse,
            ServiceName = message.ServiceNameMatcher is null ? null : MatcherCompiler.String(message.ServiceNameMatcher, path + ".service_name_matcher"),
        };
    }

    private static TcpHealthCheck Tcp(HealthCheck.Types.TcpHealthCheck message, bool reuse, string path, List<string> notes)
    {
        if (message.ProxyProtocolConfig is { } proxy && (proxy.PassThroughTlvs is not null || proxy.AddedTlvs.Count > 0))
        {
            notes.Add(path + ".proxy_protocol_config is applied without pass_through_tlvs and added_tlvs");
        }

        return new TcpHealthCheck
        {
            Send = message.Send is null ? [] : Bytes(message.Send, path + ".send"),
            Receive = Bytes(message.Receive, path + ".receive"),
            ReuseConnection = reuse,
            ProxyProtocol = message.ProxyProtocolConfig is null ? null : message.ProxyProtocolConfig.Version == ProxyProtocolConfig.Types.Version.V1 ? 1 : 2,
        };
    }

    /// <summary>What a Host header may say; empty where something else says it.</summary>
    public static string Authority(string text, string path)
        => text.Length == 0 || RequestTarget.IsAuthority(text) ? text : throw new ResourceRejectedException(path, $"'{text}' is no authority: a host name or address, with or without a port");

    private static byte[][] Bytes(IReadOnlyList<Payload> payloads, string path) => [.. payloads.Select((p, i) => Bytes(p, $"{path}[{i}]"))];

    private static byte[] Bytes(Payload payload, string path)
    {
        if (payload.PayloadCase == Payload.PayloadOneofCase.Binary)
        {
            return payload.Binary.ToByteArray();
        }

        try
        {
            return Convert.FromHexString(payload.Text);
        }
        catch (FormatException)
        {
            throw new ResourceRejectedException(path + ".text", $"'{payload.Text}' is not hexadecimal");
        }
    }

    private static (int Start, int End)[] Ranges(IReadOnlyList<Int64Range> ranges, string path)
        => [.. ranges.Select((r, i) => r.Start is >= 100 && r.Start < r.End && r.End <= 600
            ? ((int)r.Start, (int)r.End)
            : throw new ResourceRejectedException($"{path}[{i}]", $"[{r.Start}, {r.End}) is not a range within [100, 600)"))];

    private static CheckHeader[] Headers(IReadOnlyList<HeaderValueOption> messages, string path, List<string> notes)
    {
        var headers = new List<CheckHeader>();
        for (var i = 0; i < messages.Count; i++)
        {
            var (message, at) = (messages[i], $"{path}[{i}]");
            var header = message.Header ?? throw new ResourceRejectedException(at + ".header", "must be set");
            var value = header.Value.Length > 0 ? header.Value : header.RawValue.ToStringUtf8();
            if (!HeaderSyntax.IsToken(header.Key))
            {
                throw new ResourceRejectedException(at + ".header.key", $"'{header.Key}' is not the name of a header");
            }

            if (!HeaderSyntax.IsValue(value))
            {
                throw new ResourceRejectedException(at + ".header.value", "has a line break or another control character");
            }

            // No request stands behind a check that a command could read from; two percent signs are one.
            if (value.Replace("%%", "", StringComparison.Ordinal).Contains('%'))
            {
                notes.Add($"{at} ('{value}' has a command, and a health check has nothing for it to read)");
                continue;
            }

            if (value.Length == 0 && !message.KeepEmptyValue)
            {
                continue;
            }

#pragma warning disable CS0612 // The older field wins where it is set.
            var action = message.Append is { } append ? append ? AppendAction.AppendIfExistsOrAdd : AppendAction.OverwriteIfExistsOrAdd : message.AppendAction;
#pragma warning restore CS0612
            headers.Add(new CheckHeader(
                header.Key,
                value.Replace("%%", "%", StringComparison.Ordinal),
                Overwrites: action is AppendAction.OverwriteIfExists or AppendAction.OverwriteIfExistsOrAdd,
                OnlyIfAbsent: action == AppendAction.AddIfAbsent,
                OnlyIfPresent: action == AppendAction.OverwriteIfExists));
        }

        return [.. headers];
    }

    private static TimeSpan Positive(Duration? value, string path) => Optional(value, path) ?? throw new ResourceRejectedException(path, "must be set");

    private static TimeSpan? Optional(Duration? value, string path)
        => value?.ToTimeSpan() is not { } span ? null : span > TimeSpan.Zero ? TimerRange.Limit(span) : throw new ResourceRejectedException(path, "must be greater than 0");

    private static TimeSpan NotNegative(Duration? value, string path)
    {
        var span = value?.ToTimeSpan() ?? TimeSpan.Zero;
        return span >= TimeSpan.Zero ? TimerRange.Limit(span) : throw new ResourceRejectedException(path, "must not be negative");
    }
}
