using System.Net;
using Mesh.ControlPlane.Generators;

namespace Mesh.ControlPlane.Model;

/// <summary>The services by the addresses that their documents give them: an address is a name, too.</summary>
internal sealed class AddressIndex
{
    private readonly Dictionary<string, List<MeshService>> _exact = new(StringComparer.Ordinal);
    private readonly List<(IPNetwork Network, MeshService Service)> _subnets = [];

    public AddressIndex(IEnumerable<MeshService> services)
    {
        foreach (var service in services.OrderBy(service => service.Source, OldestFirst.Instance))
        {
            foreach (var address in service.Addresses)
            {
                if (address.Contains('/', StringComparison.Ordinal))
                {
                    _subnets.AddRange(CidrRanges.Of([address]).Select(range => (new IPNetwork(IPAddress.Parse(range.AddressPrefix), (int)(range.PrefixLen ?? 0)), service)));
                }
                else if (_exact.TryGetValue(address, out var sharing))
                {
                    sharing.Add(service);
                }
                else
                {
                    _exact.Add(address, [service]);
                }
            }
        }

        // The narrowest first; a stable sort keeps the oldest before others.
        _subnets = [.. _subnets.OrderByDescending(subnet => subnet.Network.PrefixLength)];
    }

    /// <summary>Who may be meant by an address: those that have this very one, then the narrowest subnet, each time the oldest first.</summary>
    public IEnumerable<MeshService> Find(IPAddress address)
        => (_exact.TryGetValue(address.ToString(), out var services) ? services : Enumerable.Empty<MeshService>())
            .Concat(_subnets.Where(subnet => subnet.Network.Contains(address)).Select(subnet => subnet.Service));
}
