using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>A policy that maps the hash of a request to a host; a request without a hash goes anywhere.</summary>
/// <param name="UseHostname">Place hosts by their names instead of their addresses (Envoy's <c>use_hostname_for_hashing</c>).</param>
/// <param name="BalanceFactor">A host takes at most so many percent of the average load (Envoy's <c>hash_balance_factor</c>); 0 for no bound.</param>
internal abstract record ConsistentHashing(bool UseHostname, uint BalanceFactor) : LoadBalancingPolicy
{
    public sealed override HostPicker CreatePicker(Endpoint[] hosts, HostGroupState state) => CreatePicker([(hosts, 1)]);

    /// <summary>Builds one picker over all localities of a priority: what a hash leads to does not depend on a prior choice of locality.</summary>
    public HostPicker CreatePicker(IReadOnlyList<(Endpoint[] Hosts, uint Weight)> localities)
    {
        var hosts = HashedHost.Normalize(localities, UseHostname);
        var table = CreateTable(hosts);
        return BalanceFactor == 0 ? new Picker(table) : new BoundedLoadPicker(table, hosts, BalanceFactor);
    }

    protected abstract HashTable CreateTable(HashedHost[] hosts);

    private sealed class Picker(HashTable table) : HostPicker
    {
        public override Endpoint Pick(in PickContext context) => table.Find(context.HashOrDraw, context.Attempt).Endpoint;
    }
}
