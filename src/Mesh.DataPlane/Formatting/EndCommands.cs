using Mesh.DataPlane.Telemetry;

namespace Mesh.DataPlane.Formatting;

/// <summary>The commands that have a value when the request is over: times, bytes, what it was part of.</summary>
internal static class EndCommands
{
    public static IEnumerable<(string Name, FormatCommand Command)> All
    {
        get
        {
            yield return ("BYTES_RECEIVED", Number(r => r.RequestBytes));
            yield return ("BYTES_SENT", Number(r => r.ResponseBytes));

            // Of HTTP/3 alone; Envoy writes the same for other versions.
            yield return ("BYTES_RETRANSMITTED", Number(_ => 0));
            yield return ("PACKETS_RETRANSMITTED", Number(_ => 0));
            yield return ("ROUNDTRIP_DURATION", Number(_ => null));

            yield return ("REQUEST_HEADERS_BYTES", Number(r => RequestHeaders(r)));
            yield return ("RESPONSE_HEADERS_BYTES", Number(r => ResponseHeaders(r)));
            yield return ("RESPONSE_TRAILERS_BYTES", Number(r => ResponseTrailers(r)));
            yield return ("DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED", Number(r => RequestHeaders(r)));
            yield return ("DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT", Number(r => ResponseHeaders(r) + ResponseTrailers(r)));

            yield return ("DURATION", Number(r => (long)r.Duration.TotalMilliseconds));
            yield return ("REQUEST_DURATION", Number(r => Milliseconds(r, r.Began, r.RequestEnded)));
            yield return ("REQUEST_TX_DURATION", Number(r => r.UpstreamBegan > 0 ? Milliseconds(r, r.Began, r.RequestEnded) : null));
            yield return ("RESPONSE_DURATION", Number(r => r.UpstreamBegan > 0 ? Milliseconds(r, r.Began, r.ResponseBegan) : null));
            yield return ("RESPONSE_TX_DURATION", Number(r => r.UpstreamBegan > 0 ? Milliseconds(r, r.ResponseBegan, Times.End(r)) : null));
            yield return ("DOWNSTREAM_HANDSHAKE_DURATION", Number(r => r is { IsConnection: true, Connection.IsTls: true } ? UpstreamCommands.Milliseconds(r, r.Connection.Established) : null));
            yield return ("COMMON_DURATION", FormatCommand.OfNumber(FormatArgument.Required, Times.Between) with { IsOfEnd = true });

            yield return ("ACCESS_LOG_TYPE", Text(r => r.IsConnection ? "TcpConnectionEnd" : "DownstreamEnd"));
            yield return ("STREAM_ID", Text(r => r.RequestId ?? r.UniqueId));
            yield return ("UNIQUE_ID", Text(r => r.UniqueId));
            yield return ("TRACE_ID", Text(r => r.Span is { } span && span.TraceId != default ? span.TraceId.ToHexString() : null));
            yield return ("SPAN_ID", Text(r => r.Span is { } span && span.SpanId != default ? span.SpanId.ToHexString() : null));
            yield return ("UPSTREAM_TRANSPORT_FAILURE_REASON", Text(r => r.TransportFailure?.Replace(' ', '_')));
            yield return ("DOWNSTREAM_TRANSPORT_FAILURE_REASON", Text(r => r.DownstreamTransportFailure?.Replace(' ', '_')));
            yield return ("CONNECTION_TERMINATION_DETAILS", Text(r => r.TerminationDetails));
        }
    }

    private static FormatCommand Number(Func<RequestRecord, long?> value)
        => FormatCommand.OfNumber(FormatArgument.None, _ => (in FormatContext c) => c.Record is { } record ? value(record) : null) with { IsOfEnd = true };

    private static FormatCommand Text(Func<RequestRecord, string?> value)
        => new(FormatArgument.None, LengthAllowed: true, _ => (in FormatContext c) => c.Record is { } record ? value(record) : null) { IsOfEnd = true };

    /// <summary>Bytes of the request's headers; a connection has none, which Envoy writes as 0.</summary>
    public static long? RequestHeaders(RequestRecord record) => record.IsConnection ? 0 : record.Request is { } request ? Pseudo(record) + record.RequestHeaders?.ByteSize(request) : null;

    public static long? ResponseHeaders(RequestRecord record)
        => record.Response is { } response ? (record.Status > 0 ? ":status".Length + 3 : 0) + record.ResponseHeaders?.ByteSize(response) : 0;

    public static long ResponseTrailers(RequestRecord record) => record.Response is { } response ? record.ResponseTrailers?.ByteSize(response) ?? 0 : 0;

    private static long Pseudo(RequestRecord record)
        => ":method".Length + record.Method.Length + ":path".Length + record.Path.Length + ":authority".Length + record.Authority.Length + ":scheme".Length + record.Scheme.Length;

    private static long? Milliseconds(RequestRecord record, long from, long to) => (from > 0 || from == record.Began) && to > 0 ? (long)record.Time.GetElapsedTime(from, to).TotalMilliseconds : null;

    /// <summary>The points in time that durations lie between.</summary>
    private static class Times
    {
        private static readonly Dictionary<string, Func<RequestRecord, long>> Points = new(StringComparer.Ordinal)
        {
            ["DS_RX_BEG"] = r => r.Began,
            ["DS_RX_END"] = r => r.RequestEnded,
            ["US_TX_BEG"] = r => r.UpstreamBegan,
            ["US_TX_END"] = r => r.UpstreamBegan > 0 ? r.RequestEnded : 0,
            ["US_RX_BEG"] = r => r.UpstreamBegan > 0 ? r.ResponseBegan : 0,
            ["US_RX_END"] = r => r.UpstreamBegan > 0 ? End(r) : 0,
            ["DS_TX_BEG"] = r => r.ResponseBegan,
            ["DS_TX_END"] = End,
            ["DS_CX_BEG"] = r => r.IsConnection ? r.Began : 0,
            ["DS_CX_END"] = r => r.IsConnection ? End(r) : 0,
        };

        // Envoy's own that nobody could tell here.
        private static readonly string[] Unknown = ["US_CX_BEG", "US_CX_END", "US_HS_END", "US_RX_BODY_BEG"];

        private static readonly Dictionary<string, double> PerSecond = new(StringComparer.Ordinal) { ["ms"] = 1e3, ["us"] = 1e6, ["ns"] = 1e9 };

        public static long End(RequestRecord record) => record.Ended > 0 ? record.Ended : record.Time.GetTimestamp();

        public static FormatNumber Between(string argument)
        {
            var parts = argument.Split(':');
            if (parts.FirstOrDefault(p => Unknown.Contains(p)) is { } unknown)
            {
                throw new FormatException($"there is no {unknown}: the framework does not tell when its connections were made, nor when a body began");
            }

            if (parts.Length is not (2 or 3) || !Points.TryGetValue(parts[0], out var from) || !Points.TryGetValue(parts[1], out var to)
                || !PerSecond.TryGetValue(parts.Length == 3 ? parts[2] : "ms", out var perSecond))
            {
                throw new FormatException($"the argument is START:END:PRECISION, of {string.Join(", ", Points.Keys)}, and of ms, us, ns");
            }

            return (in FormatContext c) => c.Record is { } record && from(record) is var start && (start > 0 || start == record.Began) && to(record) is > 0 and var end
                ? (long)(record.Time.GetElapsedTime(start, end).TotalSeconds * perSecond)
                : null;
        }
    }
}
