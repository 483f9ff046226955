using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>A load-balancing policy as configured; records compare by value, so that an unchanged policy keeps its pickers.</summary>
internal abstract record LoadBalancingPolicy
{
    /// <summary>Builds the picker of one group of hosts.</summary>
    /// <param name="hosts">At least one host; weights are the control plane's.</param>
    /// <param name="state">What the group remembers across updates.</param>
    public abstract HostPicker CreatePicker(Endpoint[] hosts, HostGroupState state);
}
