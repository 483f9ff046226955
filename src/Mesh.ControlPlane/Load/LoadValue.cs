namespace Mesh.ControlPlane.Load;

/// <summary>What is summed up over reports.</summary>
internal enum LoadValue
{
    Issued,
    Succeeded,
    Failed,
    NewConnections,
    FailedConnections,
    Requests2xx,
    Requests3xx,
    Requests4xx,
    Requests5xx,
    RequestsWithoutStatus,
    GrpcErrors,
    DurationMicroseconds,
    BytesSent,
    BytesReceived,
}
