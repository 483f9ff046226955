using Mesh.DataPlane.LoadReporting;
using Mesh.DataPlane.Resources;

namespace Mesh.DataPlane.Clusters;

/// <summary>An endpoint of one <see cref="EndpointSet"/>: what the control plane says of it, and the state that outlives the set.</summary>
internal sealed record Endpoint(EndpointResource Resource, string Locality, uint Priority, EndpointState State)
{
    // Read once: whatever changes later makes another set.
    private readonly HealthFlags _found = State.Health.Flags;

    /// <summary>What it is asked, for reports of load.</summary>
    public EndpointLoad Load { get; init; } = EndpointLoad.Unreported;

    /// <summary>The health when the set was built: the control plane's word, active checks and outlier detection together.</summary>
    public EndpointHealth Health => HostHealth.Combine(Resource.Health, _found);

    /// <summary>The status by which a session's host is still good enough or not.</summary>
    public HostStatuses Status => HostHealth.Combine(Resource.Status, _found);

    /// <summary>Whether the sums over hosts leave it out.</summary>
    public bool IsExcluded => HostHealth.IsExcluded(Resource.Status, _found);

    public override string ToString() => Resource.AddressText;
}
