using Google.Protobuf;
using Mesh.DataPlane.Calls;
using Mesh.DataPlane.Headers;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>Where spans go and how traces travel, as <c>tracing.provider</c> says.</summary>
/// <param name="Key">The configuration as it was sent: listeners that say the same share one exporter.</param>
internal abstract record TraceProvider(ByteString Key)
{
    /// <summary>Who is asked.</summary>
    public required ClusterTarget Target { get; init; }

    /// <summary>Where HTTP requests go; <see langword="null"/> for gRPC.</summary>
    public Uri? Uri { get; init; }

    /// <summary>What requests carry besides.</summary>
    public HeaderAddition[] Headers { get; init; } = [];

    /// <summary>The headers that upstreams read the trace from.</summary>
    public abstract ContextFormats Formats { get; }

    /// <summary>Who has the last word on what is recorded; <see langword="null"/> for the listener's own rates.</summary>
    public TraceSampler? Sampler { get; init; }

    /// <summary>The service that the spans are of; empty for this workload's.</summary>
    public string ServiceName { get; init; } = "";

    /// <summary><c>ZipkinConfig</c>: JSON of Zipkin's second version, by HTTP.</summary>
    public sealed record Zipkin(ByteString Key) : TraceProvider(Key)
    {
        /// <summary><c>USE_B3_WITH_W3C_PROPAGATION</c>.</summary>
        public bool WritesW3C { get; init; }

        public override ContextFormats Formats => WritesW3C ? ContextFormats.B3 | ContextFormats.W3C : ContextFormats.B3;
    }

    /// <summary><c>OpenTelemetryConfig</c>: OTLP by HTTP or gRPC.</summary>
    public sealed record OpenTelemetry(ByteString Key) : TraceProvider(Key)
    {
        public override ContextFormats Formats => ContextFormats.W3C;

        /// <summary>What resource detectors have found.</summary>
        public IReadOnlyDictionary<string, string> Resource { get; init; } = new Dictionary<string, string>();

        /// <summary><c>set_service_name_resource_attribute</c>.</summary>
        public bool NamesService { get; init; } = true;

        /// <summary><c>set_telemetry_sdk_resource_attributes</c>.</summary>
        public bool NamesLibrary { get; init; } = true;
    }
}
