using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Client;
using EnvoyAction = Envoy.Config.Route.V3.RouteAction;

namespace Mesh.DataPlane.Timeouts;

/// <summary>Compiles the timeouts of a route action.</summary>
internal static class TimeoutPolicyCompiler
{
    public static TimeoutPolicy Compile(EnvoyAction action, string path)
    {
        var stream = action.MaxStreamDuration;
#pragma warning disable CS0612 // Superseded by max_stream_duration, and still sent.
        var maxGrpc = action.MaxGrpcTimeout;
        var grpcOffset = action.GrpcTimeoutOffset;
#pragma warning restore CS0612
        return new TimeoutPolicy
        {
            Route = Value(action.Timeout, path + ".timeout") ?? TimeSpan.FromSeconds(15),
            Idle = Value(action.IdleTimeout, path + ".idle_timeout"),
            MaxStreamDuration = Value(stream?.MaxStreamDuration_, path + ".max_stream_duration.max_stream_duration"),
            GrpcTimeoutHeaderMax = Value(stream?.GrpcTimeoutHeaderMax, path + ".max_stream_duration.grpc_timeout_header_max"),
            GrpcTimeoutHeaderOffset = Value(stream?.GrpcTimeoutHeaderOffset, path + ".max_stream_duration.grpc_timeout_header_offset") ?? TimeSpan.Zero,
            MaxGrpcTimeout = Value(maxGrpc, path + ".max_grpc_timeout"),
            GrpcTimeoutOffset = Value(grpcOffset, path + ".grpc_timeout_offset") ?? TimeSpan.Zero,
        };
    }

    public static TimeSpan? Value(Duration? duration, string path)
    {
        if (duration is null)
        {
            return null;
        }

        // Protobuf's own bounds are wider than TimeSpan's users expect; a negative timeout means nothing.
        if (duration.Seconds < 0 || duration.Nanos < 0)
        {
            throw new ResourceRejectedException(path, "must not be negative");
        }

        return duration.Seconds >= TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerSecond ? TimeSpan.MaxValue : duration.ToTimeSpan();
    }
}
