using Mesh.DataPlane.Resources;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Dns;

/// <summary>What it takes to find endpoints by name.</summary>
internal sealed record DnsDiscovery(IDnsResolver Resolver, IRandomSource Random, TimeProvider Time, ILogger Logger)
{
    /// <summary>The endpoints of one cluster, to be started.</summary>
    /// <param name="cluster">Its name.</param>
    /// <param name="settings">How they are found.</param>
    /// <param name="template">The endpoints as sent, with names in place of addresses.</param>
    /// <param name="sync">The lock of the configuration.</param>
    /// <param name="changed">Called with the lock held when there are other endpoints, or when something else is wrong with them.</param>
    public DnsEndpoints Create(string cluster, DnsClusterSettings settings, EndpointsResource template, Lock sync, Action<DnsEndpoints> changed)
        => new(this, cluster, settings, template, sync, changed);
}
