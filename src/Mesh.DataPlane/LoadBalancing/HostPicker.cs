using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>Picks a host out of one immutable group. Called for every request from many threads; takes no lock and allocates nothing.</summary>
internal abstract class HostPicker
{
    public abstract Endpoint Pick(in PickContext context);

    /// <summary>Weighs the hosts anew, where their weights depend on time or load reports; called on the configuration path.</summary>
    /// <param name="now">A timestamp of the cluster's clock.</param>
    /// <returns>When to ask again; <see langword="null"/> when the weights do not change by themselves any more.</returns>
    public virtual TimeSpan? Reweigh(long now) => null;
}
