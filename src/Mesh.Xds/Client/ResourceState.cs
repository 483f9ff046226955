namespace Mesh.Xds.Client;

/// <summary>The client status of a resource (CSDS's <c>ClientResourceStatus</c>).</summary>
internal enum ResourceState
{
    Requested,
    Acked,
    Nacked,
    DoesNotExist,

    /// <summary>The server says that it cannot tell (<c>resource_errors</c>, gRFC A88).</summary>
    ReceivedError,

    /// <summary>The server did not answer in time, which by its features says nothing of the resource (gRFC A88).</summary>
    Timeout,
}
