namespace Mesh.Xds.Client;

/// <summary>The client status of a resource (CSDS's <c>ClientResourceStatus</c>).</summary>
internal enum ResourceState
{
    Requested,
    Acked,
    Nacked,
    DoesNotExist,
}
