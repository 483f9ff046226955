using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Tcp;

namespace Mesh.DataPlane.Explaining;

/// <summary>A filter chain: which connections it is for, how they are secured, and what becomes of them.</summary>
/// <param name="Name">Its name, which may be empty.</param>
/// <param name="Match">Which connections it is for; empty for any.</param>
/// <param name="Tls">How they are secured.</param>
/// <param name="NetworkFilters">Who decides on connections, in order.</param>
/// <param name="HttpFilters">Who decides on requests, in order; empty where the chain knows no requests.</param>
/// <param name="Clusters">Where connections go that carry no requests.</param>
/// <param name="VirtualHosts">Where requests go.</param>
internal sealed record ChainDump(
    string Name,
    IReadOnlyList<string> Match,
    string Tls,
    IReadOnlyList<string> NetworkFilters,
    IReadOnlyList<string> HttpFilters,
    IReadOnlyList<WeightDump> Clusters,
    IReadOnlyList<VirtualHostDump> VirtualHosts)
{
    public static ChainDump Of(TcpChain chain)
        => new(
            chain.ToString(),
            [.. Words(chain.Resource.Match)],
            "as it is",
            [],
            [],
            [.. chain.Proxy.Clusters.Select((c, i) => new WeightDump(chain.Clusters[i].Name, c.Weight))],
            []);

    public static ChainDump Of(InboundChain chain)
        => new(
            chain.Resource.Name,
            [.. Words(chain.Resource.Match)],
            TlsOf(chain.Resource.Tls),
            [.. chain.Resource.NetworkFilters.Select(f => f.Name)],
            [.. (chain.Resource.Http?.Filters ?? []).Select(f => f.Disabled ? $"{f.Name} (off unless a route enables it)" : f.Name)],
            [],
            chain.Http is { } http ? VirtualHostDump.Of(http.Hosts) : []);

    public static string TlsOf(DownstreamTls? tls)
        => tls is null ? "plain text, or TLS of the application's own"
            : tls.RequiresClientCertificate ? "mutual TLS"
            : tls.AsksForClientCertificate ? "TLS, a client certificate is asked for"
            : "TLS";

    private static IEnumerable<string> Words(TcpChainMatch match)
    {
        if (match.DestinationPort is { } port)
        {
            yield return $"to port {port}";
        }

        if (match.Destinations.Count > 0)
        {
            yield return $"to {string.Join(", ", match.Destinations)}";
        }

        if (match.TransportProtocol.Length > 0)
        {
            yield return match.TransportProtocol == "tls" ? "TLS" : "plain text";
        }

        if (match.ServerNames.Count > 0)
        {
            yield return $"server name {string.Join(", ", match.ServerNames)}";
        }

        if (match.ApplicationProtocols.Count > 0)
        {
            yield return $"ALPN {string.Join(", ", match.ApplicationProtocols)}";
        }

        if (match.DirectSources.Count + match.Sources.Count > 0)
        {
            yield return $"from {string.Join(", ", match.DirectSources.Concat(match.Sources))}";
        }

        if (match.Source != TcpChainMatch.SourceType.Any)
        {
            yield return match.Source == TcpChainMatch.SourceType.External ? "from other machines" : "from this machine";
        }

        if (match.SourcePorts.Count > 0)
        {
            yield return $"from ports {string.Join(", ", match.SourcePorts)}";
        }
    }
}
