using Mesh.DataPlane.Tcp;

namespace Mesh.DataPlane.Inbound;

/// <summary>The filter chains of a port that are in force.</summary>
internal sealed class InboundTable(InboundListenerResource resource, InboundChain[] chains, InboundChain? forTheRest, string version)
{
    private readonly TcpChainMatch[] _matches = [.. chains.Select(chain => chain.Resource.Match)];

    public InboundListenerResource Resource { get; } = resource;

    public string Version { get; } = version;

    public IEnumerable<InboundChain> All => forTheRest is null ? chains : chains.Append(forTheRest);

    /// <summary>Whether the first bytes have to be seen before a chain can be chosen.</summary>
    public bool DependsOnFirstBytes(in ChainFacts facts) => ChainSelector.DependsOnFirstBytes(_matches, facts);

    /// <summary>The chain for a connection.</summary>
    public InboundChain? Select(in ChainFacts facts) => ChainSelector.Select(_matches, facts) is >= 0 and var found ? chains[found] : forTheRest;
}
