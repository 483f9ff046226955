using System.Net;

namespace Mesh.DataPlane.Tcp;

/// <summary>Finds the filter chain for a connection, as Envoy does: step by step the most specific ones are left, and a step that leaves none is not taken back.</summary>
internal static class ChainSelector
{
    private const int Steps = 9;

    /// <summary>Of these steps the outcome is known before anything has been sent.</summary>
    private const int StepsBeforeTls = 2;

    private const int MaxOnStack = 128;

    /// <summary>The index of the chain; -1 when none is for the connection.</summary>
    public static int Select(TcpChainMatch[] matches, in ChainFacts facts)
    {
        Span<int> left = stackalloc int[matches.Length <= MaxOnStack ? matches.Length : 0];
        left = matches.Length <= MaxOnStack ? left : new int[matches.Length];
        return Narrow(matches, facts, left, Steps) > 0 ? left[0] : -1;
    }

    /// <summary>Whether the first bytes have to be seen before a chain can be chosen.</summary>
    public static bool DependsOnFirstBytes(TcpChainMatch[] matches, in ChainFacts facts)
    {
        if (facts.Tls is not null)
        {
            return false;
        }

        Span<int> left = stackalloc int[matches.Length <= MaxOnStack ? matches.Length : 0];
        left = matches.Length <= MaxOnStack ? left : new int[matches.Length];
        foreach (var i in left[..Narrow(matches, facts, left, StepsBeforeTls)])
        {
            if (matches[i].AsksForTls)
            {
                return true;
            }
        }

        return false;
    }

    private static int Narrow(TcpChainMatch[] matches, in ChainFacts facts, Span<int> left, int steps)
    {
        var count = left.Length;
        for (var i = 0; i < count; i++)
        {
            left[i] = i;
        }

        for (var step = 0; step < steps && count > 0; step++)
        {
            var best = 0;
            var kept = 0;
            for (var i = 0; i < count; i++)
            {
                var rank = Rank(step, matches[left[i]], facts);
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
    private static int Rank(int step, TcpChainMatch match, in ChainFacts facts)
        => step switch
        {
            0 => match.DestinationPort is not { } port ? 1 : port == facts.Port ? 2 : 0,
            1 => Rank(match.Destinations, facts.Destination),
            2 => RankServerName(match.ServerNames, facts.Tls?.ServerName ?? ""),
            3 => match.TransportProtocol.Length == 0 ? 1 : match.TransportProtocol == (facts.Tls is null ? "raw_buffer" : "tls") ? 2 : 0,
            4 => RankProtocol(match.ApplicationProtocols, facts.Tls?.ApplicationProtocols ?? []),
            5 => Rank(match.DirectSources, facts.Source),
            6 => match.Source == TcpChainMatch.SourceType.Any ? 1 : facts.IsLocal == (match.Source == TcpChainMatch.SourceType.SameAddressOrLoopback) ? 2 : 0,
            7 => Rank(match.Sources, facts.Source),
            _ => match.SourcePorts.Count == 0 ? 1 : match.SourcePorts.Contains((uint)facts.SourcePort) ? 2 : 0,
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
}
