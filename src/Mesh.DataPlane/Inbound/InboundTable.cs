using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Tcp;

namespace Mesh.DataPlane.Inbound;

/// <summary>The filter chains of a port that are in force.</summary>
internal sealed class InboundTable(InboundListenerResource resource, InboundChain[] chains, InboundChain? forTheRest, string version)
{
    private readonly TcpChainMatch[] _matches = [.. chains.Select(chain => chain.Resource.Match)];

    public InboundListenerResource Resource { get; } = resource;

    public string Version { get; } = version;

    public IEnumerable<InboundChain> All => forTheRest is null ? chains : chains.Append(forTheRest);

    /// <summary>The filters of requests.</summary>
    public IEnumerable<ListenerFilter> Filters => All.SelectMany(chain => chain.Resource.Http?.Filters ?? []);

    /// <summary>The clusters that filters call because of what routes say, and those that filters of connections call.</summary>
    public IEnumerable<string> Clusters
        => All.SelectMany(chain => chain.Resource.Http?.Routes.VirtualHosts ?? []).SelectMany(host => host.Routes).SelectMany(route => route.Policy.FilterConfigs?.Clusters ?? [])
            .Concat(All.SelectMany(chain => chain.Resource.NetworkFilters).SelectMany(filter => filter.Clusters));

    /// <summary>Whether the first bytes have to be seen before a chain can be chosen.</summary>
    public bool DependsOnFirstBytes(in ChainFacts facts) => ChainSelector.DependsOnFirstBytes(_matches, facts);

    /// <summary>The chain for a connection.</summary>
    public InboundChain? Select(in ChainFacts facts) => ChainSelector.Select(_matches, facts) is >= 0 and var found ? chains[found] : forTheRest;
}
