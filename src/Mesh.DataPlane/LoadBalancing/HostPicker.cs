using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>Picks a host out of one immutable group. Called for every request from many threads; takes no lock and allocates nothing.</summary>
internal abstract class HostPicker
{
    public abstract Endpoint Pick(in PickContext context);
}
