namespace Mesh.DataPlane.Timeouts;

/// <summary>The clocks of a route; zero is none.</summary>
internal sealed record TimeoutPolicy
{
    /// <summary>Istio's: no clock at all.</summary>
    public static TimeoutPolicy None { get; } = new() { Route = TimeSpan.Zero };

    /// <summary>Envoy's <c>timeout</c>: from the end of the request to the end of the response, over all tries; 15 seconds when unset.</summary>
    public TimeSpan Route { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Envoy's <c>idle_timeout</c>: how long nothing may move on the stream; the listener's where the route has none.</summary>
    public TimeSpan? Idle { get; init; }

    /// <summary>Envoy's <c>max_stream_duration</c>: from the beginning of the request to the end of the response.</summary>
    public TimeSpan? MaxStreamDuration { get; init; }

    /// <summary>Where set, a request's <c>grpc-timeout</c>, up to this value (zero: however long), takes the place of the maximal duration (gRFC A31).</summary>
    public TimeSpan? GrpcTimeoutHeaderMax { get; init; }

    /// <summary>Taken off a <c>grpc-timeout</c>, so that the caller's own deadline does not win the race.</summary>
    public TimeSpan GrpcTimeoutHeaderOffset { get; init; }

    /// <summary>Envoy's older <c>max_grpc_timeout</c>: where set, a gRPC request's <c>grpc-timeout</c> takes the place of the route's timeout.</summary>
    public TimeSpan? MaxGrpcTimeout { get; init; }

    public TimeSpan GrpcTimeoutOffset { get; init; }
}
