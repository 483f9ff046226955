using System.Net;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Tcp;

/// <summary>The filter chains of a listener that are in force.</summary>
internal sealed class TcpTable(TcpListenerResource listener, TcpChain[] chains, TcpChain? forTheRest, string version)
{
    private readonly TcpChainMatch[] _matches = [.. chains.Select(chain => chain.Resource.Match)];

    public TcpListenerResource Listener { get; } = listener;

    public string Version { get; } = version;

    public IEnumerable<TcpChain> All => forTheRest is null ? chains : chains.Append(forTheRest);

    public IEnumerable<Cluster> Clusters => All.SelectMany(chain => chain.Clusters);

    public bool HasConnections => All.Any(chain => chain.Connections.Any);

    /// <summary>Whether the first bytes have to be seen before a chain can be chosen.</summary>
    public bool DependsOnFirstBytes(TcpFacts facts) => ChainSelector.DependsOnFirstBytes(_matches, FactsOf(facts));

    /// <summary>The chain for a connection.</summary>
    public TcpChain? Select(TcpFacts facts) => ChainSelector.Select(_matches, FactsOf(facts)) is >= 0 and var found ? chains[found] : forTheRest;

    private ChainFacts FactsOf(TcpFacts facts)
    {
        var destination = facts.Address ?? Listener.Address;
        return new ChainFacts
        {
            Port = facts.Port,
            Destination = destination,
            Tls = facts.Tls,
            Source = OwnAddress.Address,
            IsLocal = destination is not null && (IPAddress.IsLoopback(destination) || destination.Equals(OwnAddress.Address)),
        };
    }
}
