using System.Buffers;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing.Hashing;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>
/// Consistent hashing with bounded loads (https://arxiv.org/abs/1608.01350): where the host of a hash has more than its part of the active requests,
/// the others are asked in a random order that is the same for the same hash, as in Envoy.
/// </summary>
internal sealed class BoundedLoadPicker(HashTable table, HashedHost[] hosts, uint balanceFactor) : HostPicker
{
    private const int StackThreshold = 256;

    public override Endpoint Pick(in PickContext context)
    {
        var hash = context.HashOrDraw;
        ref readonly var first = ref table.Find(hash, context.Attempt);
        var slots = Slots();
        var load = Load(first, slots);
        return load <= 1.0 ? first.Endpoint : Alternative(hash, first.Endpoint, load, slots);
    }

    private Endpoint Alternative(ulong hash, Endpoint least, double leastLoad, ulong slots)
    {
        var rented = hosts.Length <= StackThreshold ? null : ArrayPool<int>.Shared.Rent(hosts.Length);
        var order = rented ?? stackalloc int[StackThreshold];
        for (var i = 0; i < hosts.Length; i++)
        {
            order[i] = i;
        }

        var first = least;
        var random = new MersenneTwister(stackalloc uint[MersenneTwister.StateLength], (uint)hash);
        for (var i = 0; i < hosts.Length; i++)
        {
            var j = i + (int)random.Next((uint)(hosts.Length - i));
            (order[i], order[j]) = (order[j], order[i]);
            ref readonly var host = ref hosts[order[i]];
            if (ReferenceEquals(host.Endpoint, first))
            {
                continue;
            }

            var load = Load(host, slots);
            if (load < leastLoad)
            {
                (least, leastLoad) = (host.Endpoint, load);
                if (load <= 1.0)
                {
                    break;
                }
            }
        }

        if (rented is not null)
        {
            ArrayPool<int>.Shared.Return(rented);
        }

        return least;
    }

    // What all hosts together may have once this request is added.
    private ulong Slots()
    {
        var active = 0UL;
        foreach (ref readonly var host in hosts.AsSpan())
        {
            active += (uint)host.Endpoint.State.ActiveRequests;
        }

        return (((active + 1) * balanceFactor) + 99) / 100;
    }

    private static double Load(in HashedHost host, ulong slots) => host.Endpoint.State.ActiveRequests / Math.Max(Math.Ceiling(slots * host.Weight), 1.0);
}
