using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.LoadBalancing;

/// <summary>A host as consistent hashing places it.</summary>
/// <param name="Endpoint">The host.</param>
/// <param name="Key">What is hashed of it.</param>
/// <param name="Weight">Its share; those of a group sum to 1.</param>
internal readonly record struct HashedHost(Endpoint Endpoint, string Key, double Weight)
{
    /// <summary>Normalizes the weights of hosts, those of each locality within the locality's own weight when localities weigh.</summary>
    /// <param name="localities">Hosts with the weight of their locality; one without hosts takes no part.</param>
    /// <param name="useHostname">Hash the host's name instead of its address.</param>
    public static HashedHost[] Normalize(IReadOnlyList<(Endpoint[] Hosts, uint Weight)> localities, bool useHostname)
    {
        var hosts = new List<HashedHost>();
        var sum = localities.Sum(l => (double)l.Weight);
        foreach (var locality in localities)
        {
            var share = locality.Weight / sum;
            var weights = locality.Hosts.Sum(h => (double)h.Resource.Weight);
            foreach (var host in locality.Hosts.Where(_ => locality.Weight > 0))
            {
                hosts.Add(new HashedHost(host, KeyOf(host, useHostname), host.Resource.Weight * share / weights));
            }
        }

        return [.. hosts];
    }

    // Envoy: the hash_key of the endpoint's metadata, else name or address. A host that should have a name and has none is told apart by its address.
    private static string KeyOf(Endpoint host, bool useHostname)
        => host.Resource switch
        {
            { HashKey: { } key } => key,
            { Hostname: { Length: > 0 } name } when useHostname => name,
            var resource => resource.AddressText,
        };
}
