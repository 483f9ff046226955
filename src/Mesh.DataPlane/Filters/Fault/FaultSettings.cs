using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters.Fault;

/// <summary>One level's <c>HTTPFault</c>, compiled.</summary>
internal sealed record FaultSettings
{
    public FaultDelay? Delay { get; init; }

    public FaultAbort? Abort { get; init; }

    public FaultRateLimit? ResponseRateLimit { get; init; }

    /// <summary>Only requests to this cluster; empty for all.</summary>
    public string UpstreamCluster { get; init; } = "";

    /// <summary>Only requests that all of these match.</summary>
    public HeaderMatcher[] Headers { get; init; } = [];

    /// <summary>Only requests of these nodes (<c>x-envoy-downstream-service-node</c>); empty for all.</summary>
    public string[] DownstreamNodes { get; init; } = [];

    /// <summary>How many requests of the listener may suffer at once; <see langword="null"/> is unlimited.</summary>
    public uint? MaxActiveFaults { get; init; }

    /// <summary>What an abort leaves in the dynamic metadata, as JSON; empty for nothing.</summary>
    public string Metadata { get; init; } = "";

    /// <summary>The listener's count of requests that suffer now; routes have none of their own.</summary>
    public ActiveFaults Active { get; } = new();

    public bool DoesNothing => Delay is null && Abort is null && ResponseRateLimit is null;
}

/// <param name="Duration"><see langword="null"/>: the request says it (<c>x-envoy-fault-delay-request</c>).</param>
/// <param name="Share">How many requests.</param>
internal sealed record FaultDelay(TimeSpan? Duration, Fraction Share);

/// <param name="HttpStatus">The status; with neither, the request says it (<c>x-envoy-fault-abort-request</c>, <c>x-envoy-fault-abort-grpc-request</c>).</param>
/// <param name="GrpcStatus">The gRPC status.</param>
/// <param name="Share">How many requests.</param>
internal sealed record FaultAbort(int? HttpStatus, int? GrpcStatus, Fraction Share);

/// <param name="KiBytesPerSecond"><see langword="null"/>: the request says it (<c>x-envoy-fault-throughput-response</c>).</param>
/// <param name="Share">How many requests.</param>
internal sealed record FaultRateLimit(ulong? KiBytesPerSecond, Fraction Share);
