using System.Net;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Tcp;

/// <summary>The filter chains of a listener that are in force.</summary>
internal sealed class TcpTable(TcpListenerResource listener, TcpChain[] chains, TcpChain? forTheRest, string version)
{
    private const int Steps = 8;

    /// <summary>Of these steps the outcome is known before anything has been sent.</summary>
    private const int StepsBeforeTls = 2;

    public TcpListenerResource Listener { get; } = listener;

    public string Version { get; } = version;

    public IEnumerable<TcpChain> All => forTheRest is null ? chains : chains.Append(forTheRest);

    public IEnumerable<Cluster> Clusters => All.SelectMany(chain => chain.Clusters);

    public bool HasConnections => All.Any(chain => chain.Connections.Any);

    /// <summary>Whether the first bytes have to be seen before a chain can be chosen.</summary>
    public bool DependsOnFirstBytes(TcpFacts facts)
    {
        if (facts.Tls is not null)
        {
            return false;
        }

        Span<int> left = stackalloc int[chains.Length <= 128 ? chains.Length : 0];
        left = chains.Length <= 128 ? left : new int[chains.Length];
        foreach (var i in left[..Narrow(facts, left, StepsBeforeTls)])
        {
            if (chains[i].Resource.Match.AsksForTls)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The chain for a connection, as Envoy finds it: step by step the most specific ones are left, and a step that leaves none is not taken back.</summary>
    public TcpChain? Select(TcpFacts facts)
    {
        Span<int> left = stackalloc int[chains.Length <= 128 ? chains.Length : 0];
        left = chains.Length <= 128 ? left : new int[chains.Length];
        return Narrow(facts, left, Steps) > 0 ? chains[left[0]] : forTheRest;
    }

    private int Narrow(TcpFacts facts, Span<int> left, int steps)
    {
        var count = left.Length;
        for (var i = 0; i < count; i++)
        {
            left[i] = i;
        }

        var destination = facts.Address ?? Listener.Address;
        for (var step = 0; step < steps && count > 0; step++)
        {
            var best = 0;
            var kept = 0;
            for (var i = 0; i < count; i++)
            {
                var rank = Rank(step, chains[left[i]].Resource.Match, facts, destination);
                if (rank > best)
                {
                    (best, kept) = (rank, 0);
                }

                if (rank == best && rank > 0)
                {
                    left[kept++] = left[i];
                }
            }

            count = kept;
        }

        return count;
    }

    // How specific a condition is that holds, from 1 for one that asks nothing; 0 when it does not hold.
    private static int Rank(int step, TcpChainMatch match, TcpFacts facts, IPAddress? destination)
        => step switch
        {
            0 => match.DestinationPort is not { } port ? 1 : port == facts.Port ? 2 : 0,
            1 => Rank(match.Destinations, destination),
            2 => RankServerName(match.ServerNames, facts.Tls?.ServerName ?? ""),
            3 => match.TransportProtocol.Length == 0 ? 1 : match.TransportProtocol == (facts.Tls is null ? "raw_buffer" : "tls") ? 2 : 0,
            4 => RankProtocol(match.ApplicationProtocols, facts.Tls?.ApplicationProtocols ?? []),
            5 => match.DirectSources.Count == 0 ? 1 : Rank(match.DirectSources, OwnAddress.Address),
            6 => match.Source == TcpChainMatch.SourceType.Any ? 1 : IsLocal(destination) == (match.Source == TcpChainMatch.SourceType.SameAddressOrLoopback) ? 2 : 0,
            _ => match.Sources.Count == 0 ? 1 : Rank(match.Sources, OwnAddress.Address),
        };

    private static int Rank(IReadOnlyList<IPNetwork> networks, IPAddress? address)
    {
        if (networks.Count == 0)
        {
            return 1;
        }

        var rank = 0;
        foreach (var network in networks)
        {
            if (address is not null && network.Contains(address))
            {
                rank = Math.Max(rank, 1 + network.PrefixLength);
            }
        }

        return rank;
    }

    private static int RankServerName(IReadOnlyList<string> names, string asked)
    {
        if (names.Count == 0)
        {
            return 1;
        }

        var rank = 0;
        foreach (var name in names)
        {
            if (name == asked)
            {
                return int.MaxValue;
            }

            if (name is ['.', ..] && asked.Length > name.Length && asked.EndsWith(name, StringComparison.Ordinal))
            {
                rank = Math.Max(rank, 1 + name.Length);
            }
        }

        return rank;
    }

    // The caller's order decides.
    private static int RankProtocol(IReadOnlyList<string> protocols, IReadOnlyList<string> offered)
    {
        if (protocols.Count == 0)
        {
            return 1;
        }

        for (var i = 0; i < offered.Count; i++)
        {
            if (protocols.Contains(offered[i]))
            {
                return int.MaxValue - i;
            }
        }

        return 0;
    }

    private static bool IsLocal(IPAddress? destination) => destination is not null && (IPAddress.IsLoopback(destination) || destination.Equals(OwnAddress.Address));
}
