using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.Clusters;

/// <summary>An endpoint of one <see cref="EndpointSet"/>: what the control plane says of it, and the state that outlives the set.</summary>
internal sealed record Endpoint(EndpointResource Resource, string Locality, uint Priority, EndpointState State)
{
    /// <summary>The status by which a session's host is still good enough or not.</summary>
    public HostStatuses Status => Resource.Status;

    public override string ToString() => Resource.AddressText;
}
