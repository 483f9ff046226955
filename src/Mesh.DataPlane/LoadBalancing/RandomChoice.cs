using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>Any host, in proportion to its weight (Envoy's <c>RANDOM</c>).</summary>
internal sealed record RandomChoice : LoadBalancingPolicy
{
    public override HostPicker CreatePicker(Endpoint[] hosts, HostGroupState state) => new Picker(new WeightedHosts(hosts));

    private sealed class Picker(WeightedHosts hosts) : HostPicker
    {
        public override Endpoint Pick(in PickContext context) => hosts.At(context.Draw);
    }
}
