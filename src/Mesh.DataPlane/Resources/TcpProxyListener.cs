using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.TcpProxy.V3;

namespace Mesh.DataPlane.Resources;

/// <summary>Listeners that carry connections as they are (<c>tcp_proxy</c>): sound, but nothing that a request of this process could go by.</summary>
internal static class TcpProxyListener
{
    public static bool IsOne(Listener listener) => ProxiesOf(listener).Any();

    /// <summary>Holds the filters to their rules, as whoever serves them will.</summary>
    /// <returns>What to tell of the listener.</returns>
    /// <exception cref="Mesh.Xds.Client.ResourceRejectedException">A filter breaks a rule.</exception>
    public static IEnumerable<string> Check(Listener listener)
    {
        var notes = new List<string> { "filter_chains: tcp_proxy is not served in this process, requests to this listener fail" };
        foreach (var (filter, path) in ProxiesOf(listener))
        {
            var proxy = WireMessage.Parse(TcpProxy.Parser, filter.TypedConfig.Value, path);
            notes.AddRange(WireMessage.Validate(proxy, filter.TypedConfig.Value, TcpProxy.Parser, path));
        }

        return notes;
    }

    private static IEnumerable<(Filter Filter, string Path)> ProxiesOf(Listener listener)
    {
        var chains = listener.FilterChains.Select((chain, i) => (Chain: chain, Path: $"filter_chains[{i}]"));
        if (listener.DefaultFilterChain is { } rest)
        {
            chains = chains.Append((rest, "default_filter_chain"));
        }

        return chains
            .SelectMany(chain => chain.Chain.Filters.Select((filter, i) => (Filter: filter, Path: $"{chain.Path}.filters[{i}].typed_config")))
            .Where(found => found.Filter.TypedConfig?.Is(TcpProxy.Descriptor) == true);
    }
}
