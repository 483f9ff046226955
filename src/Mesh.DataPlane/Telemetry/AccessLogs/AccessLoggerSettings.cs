using Opentelemetry.Proto.Common.V1;

namespace Mesh.DataPlane.Telemetry.AccessLogs;

/// <summary>Where entries go, and what is in them.</summary>
internal abstract record AccessLoggerSettings
{
    /// <summary>The headers of the request that entries tell of.</summary>
    public abstract IEnumerable<string> RequestHeaders { get; }

    /// <summary>The commands in their formats that do not have a value everywhere.</summary>
    public abstract IEnumerable<string> NotAlwaysKnown { get; }

    /// <summary>Lines, to a file or to one of the process's own streams.</summary>
    /// <param name="Path">The file; <c>/dev/stdout</c> and <c>/dev/stderr</c> are the streams.</param>
    /// <param name="Format">How a line is written.</param>
    internal sealed record Lines(string Path, AccessLogFormat Format) : AccessLoggerSettings
    {
        public override IEnumerable<string> RequestHeaders => Format.RequestHeaders;

        public override IEnumerable<string> NotAlwaysKnown => Format.NotAlwaysKnown;
    }

    /// <summary>Messages, to an access log service.</summary>
    internal sealed record Grpc(CollectorSettings Collector) : AccessLoggerSettings
    {
        public IReadOnlyList<string> RequestHeadersToLog { get; init; } = [];

        public IReadOnlyList<string> ResponseHeadersToLog { get; init; } = [];

        public IReadOnlyList<string> ResponseTrailersToLog { get; init; } = [];

        public override IEnumerable<string> RequestHeaders
            => RequestHeadersToLog.Concat(["user-agent", "referer", "x-forwarded-for", "x-envoy-original-path", "content-type"]).Concat(Collector.Tags.SelectMany(t => t.RequestHeaders));

        public override IEnumerable<string> NotAlwaysKnown => Collector.Tags.SelectMany(t => t.Format.NotAlwaysKnown);
    }

    /// <summary>Records of OpenTelemetry, to a collector.</summary>
    internal sealed record OpenTelemetry(CollectorSettings Collector) : AccessLoggerSettings
    {
        public OtlpValue? Body { get; init; }

        public IReadOnlyList<(string Name, OtlpValue Value)> Attributes { get; init; } = [];

        public IReadOnlyList<KeyValue> ResourceAttributes { get; init; } = [];

        /// <summary>The resource has no <c>log_name</c>, <c>zone_name</c>, <c>cluster_name</c> and <c>node_name</c>.</summary>
        public bool DisablesBuiltInLabels { get; init; }

        /// <summary>Where records go by HTTP; <see langword="null"/> where they go by gRPC.</summary>
        public HttpCollector? Http { get; init; }

        public override IEnumerable<string> RequestHeaders
            => Attributes.SelectMany(a => a.Value.RequestHeaders).Concat(Body?.RequestHeaders ?? []).Concat(Collector.Tags.SelectMany(t => t.RequestHeaders));

        public override IEnumerable<string> NotAlwaysKnown
            => Attributes.SelectMany(a => a.Value.NotAlwaysKnown).Concat(Body?.NotAlwaysKnown ?? []).Concat(Collector.Tags.SelectMany(t => t.Format.NotAlwaysKnown));
    }
}
