using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing.Hashing;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>The first host of the list takes all requests, the next ones only where a request could not use it (gRFC A62).</summary>
/// <param name="Shuffle">Put the list into an order of this process's own first (<c>shuffle_address_list</c>), by weight as gRFC A113 says.</param>
internal sealed record PickFirst(bool Shuffle = false) : LoadBalancingPolicy
{
    public override HostPicker CreatePicker(Endpoint[] hosts, HostGroupState state)
        => new Picker(Shuffle ? [.. hosts.OrderByDescending(h => Rank(h, state.Seed))] : hosts);

    // u^(1/weight) for a u that is the host's and this process's: the order of those that stay does not change when others come and go.
    private static double Rank(Endpoint host, uint seed)
        => Math.Pow((XxHash64.Hash(host.Resource.AddressText, seed) >> 11) * (1.0 / (1UL << 53)), 1.0 / host.Resource.Weight);

    private sealed class Picker(Endpoint[] hosts) : HostPicker
    {
        public override Endpoint Pick(in PickContext context) => hosts[context.Attempt % (uint)hosts.Length];
    }
}
