using Mesh.DataPlane.Formatting;

namespace Mesh.DataPlane.Telemetry.Tracing;

/// <summary>What a listener's connection manager says of traces and request ids. Decoded, bound to nothing.</summary>
internal sealed record TracingSettings
{
    /// <summary>Envoy's default for the longest path in a tag.</summary>
    public const int DefaultMaxPathLength = 256;

    public static TracingSettings Default { get; } = new();

    public RequestIdRules RequestIds { get; init; } = RequestIdRules.Default;

    /// <summary>Which requests are traced; <see langword="null"/> where the listener has no <c>tracing</c>.</summary>
    public TraceSampling? Sampling { get; init; }

    /// <summary>Where spans go; <see langword="null"/> for nowhere, or where the process's own settings say.</summary>
    public TraceProvider? Provider { get; init; }

    public CustomTag[] CustomTags { get; init; } = [];

    /// <summary><c>max_path_tag_length</c>.</summary>
    public int MaxPathLength { get; init; } = DefaultMaxPathLength;

    /// <summary><c>verbose</c>: the span tells when the parts of request and response came and went.</summary>
    public bool IsVerbose { get; init; }

    /// <summary><c>operation</c>: the span's name, where the route says none.</summary>
    public SubstitutionFormat? Operation { get; init; }

    /// <summary><c>no_context_propagation</c>: upstreams are not told of the trace.</summary>
    public bool KeepsContext { get; init; }
}
