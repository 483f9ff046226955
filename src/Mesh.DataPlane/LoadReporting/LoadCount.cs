namespace Mesh.DataPlane.LoadReporting;

/// <summary>What is counted of an endpoint. Attempts are what LRS knows by fields of its own; requests are what callers saw of them.</summary>
internal enum LoadCount
{
    /// <summary>Attempts that went out.</summary>
    Issued,

    /// <summary>Attempts that were answered by less than 500, or by a gRPC status that is none of a server's failure.</summary>
    Succeeded,

    /// <summary>Attempts that were answered otherwise, or not at all (Envoy's <c>rq_error</c>).</summary>
    Failed,

    /// <summary>Attempts that the caller has given up.</summary>
    Abandoned,

    Connections,

    ConnectionsClosed,

    ConnectFailures,

    /// <summary>Requests by the class of the status that the caller got.</summary>
    Requests2xx,

    Requests3xx,

    Requests4xx,

    Requests5xx,

    /// <summary>Requests whose caller has left before there was a status.</summary>
    RequestsWithoutStatus,

    /// <summary>gRPC requests whose status is not OK, whatever HTTP says.</summary>
    GrpcErrors,

    /// <summary>How long all requests took, in microseconds.</summary>
    RequestMicroseconds,

    /// <summary>Of connections that carry no requests.</summary>
    BytesSent,

    BytesReceived,
}
