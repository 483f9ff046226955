using System.Globalization;
using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;
using Mesh.Cli.Output;

namespace Mesh.Cli.ProxyConfig;

/// <summary>Listeners: what arrives where, and goes where.</summary>
internal static class ListenerTable
{
    private const string Passthrough = "PassthroughCluster";
    private const string BlackHole = "BlackHoleCluster";

    /// <summary>The listener for whatever no other is for.</summary>
    private const string VirtualOutbound = "virtualOutbound";

    public static Table Of(IEnumerable<Listener> listeners)
    {
        var table = new Table("ADDRESS", "PORT", "MATCH", "DESTINATION");
        var rows = listeners
            .SelectMany(listener => RowsOf(listener).Select(row => (Address: AddressOf(listener), Port: PortOf(listener), row.Match, row.Destination)))
            .OrderBy(row => row.Port)
            .ThenBy(row => row.Address, StringComparer.Ordinal);
        foreach (var row in rows)
        {
            table.Add(row.Address, row.Port.ToString(CultureInfo.InvariantCulture), row.Match, row.Destination);
        }

        return table;
    }

    public static string AddressOf(Listener listener) => listener.Address?.SocketAddress?.Address is { Length: > 0 } address ? address : listener.Address?.Pipe?.Path ?? "";

    public static uint PortOf(Listener listener) => listener.Address?.SocketAddress?.PortValue ?? 0;

    private static IEnumerable<(string Match, string Destination)> RowsOf(Listener listener)
    {
        if (listener.ApiListener?.ApiListener_ is { } api)
        {
            // No connection arrives there: the library finds it by the host that the application calls.
            var match = listener.Name == VirtualOutbound ? "ALL" : $"Host: {listener.Name}";
            yield return (match, api.TryUnpack<HttpConnectionManager>(out var manager) ? DestinationOf(manager) : "Non-HTTP/Non-TCP");
            yield break;
        }

        foreach (var chain in listener.FilterChains.Concat(listener.DefaultFilterChain is { } rest ? [rest] : []))
        {
            yield return (MatchOf(chain.FilterChainMatch), DestinationOf(chain));
        }
    }

    private static string MatchOf(FilterChainMatch? match)
    {
        var parts = new List<string>();
        if (match is not null)
        {
            if (match.ServerNames.Count > 0)
            {
                parts.Add("SNI: " + string.Join(',', match.ServerNames));
            }

            if (match.TransportProtocol.Length > 0)
            {
                parts.Add("Trans: " + match.TransportProtocol);
            }

            if (match.ApplicationProtocols.Count > 0)
            {
                parts.Add("App: " + string.Join(',', match.ApplicationProtocols));
            }

            var port = match.DestinationPort is { } number ? string.Create(CultureInfo.InvariantCulture, $":{number}") : "";
            if (match.PrefixRanges.Count > 0)
            {
                parts.Add("Addr: " + string.Join(',', match.PrefixRanges.Select(range => $"{range.AddressPrefix}/{range.PrefixLen}{port}")));
            }
            else if (port.Length > 0)
            {
                parts.Add("Addr: *" + port);
            }
        }

        return parts.Count == 0 ? "ALL" : string.Join("; ", parts);
    }

    private static string DestinationOf(FilterChain chain)
    {
        foreach (var filter in chain.Filters)
        {
            if (filter.TypedConfig is null)
            {
                continue;
            }

            if (filter.TypedConfig.TryUnpack<HttpConnectionManager>(out var manager))
            {
                return DestinationOf(manager);
            }

            if (filter.TypedConfig.TryUnpack<TcpProxy>(out var tcp))
            {
                return DestinationOf(tcp);
            }
        }

        return "Non-HTTP/Non-TCP";
    }

    private static string DestinationOf(HttpConnectionManager manager)
        => manager.RouteSpecifierCase switch
        {
            HttpConnectionManager.RouteSpecifierOneofCase.Rds => $"Route: {manager.Rds.RouteConfigName}",
            HttpConnectionManager.RouteSpecifierOneofCase.RouteConfig => Inline(manager.RouteConfig),
            _ => "Non-HTTP/Non-TCP",
        };

    private static string Inline(RouteConfiguration routes)
    {
        var clusters = routes.VirtualHosts.SelectMany(host => host.Routes).Select(route => route.Route_?.Cluster ?? "").Distinct().ToArray();
        if (clusters is [Passthrough or BlackHole])
        {
            return clusters[0];
        }

        var paths = routes.VirtualHosts.SelectMany(host => host.Routes).Select(RouteTable.PathOf).Distinct().ToArray();
        return $"Inline Route: {string.Join(", ", paths)}";
    }

    private static string DestinationOf(TcpProxy tcp)
    {
        var clusters = tcp.ClusterSpecifierCase == TcpProxy.ClusterSpecifierOneofCase.WeightedClusters ? tcp.WeightedClusters.Clusters.Select(cluster => cluster.Name).ToArray() : [tcp.Cluster];
        return clusters is [Passthrough or BlackHole] ? clusters[0] : $"Cluster: {string.Join(", ", clusters)}";
    }
}
