using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Listener.TlsInspector.V3;
using Google.Protobuf.WellKnownTypes;
using Istio.Telemetry.V1Alpha1;
using Mesh.ControlPlane.Generators.Signals;
using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Generators;

/// <summary>
/// Listeners for what is not HTTP, one per address and port, as Istio sends them to a proxy beside the application. A library in the
/// application's process asks for listeners by host and never for these.
/// </summary>
internal static class TcpListenerGenerator
{
    private const string PassthroughChain = "PassthroughFilterChain";

    public static readonly ListenerFilter TlsInspector = new()
    {
        Name = "envoy.filters.listener.tls_inspector",
        // As in Istio: most handshakes fit, and Envoy's 64 KiB would be held for each connection.
        TypedConfig = Any.Pack(new TlsInspector { InitialReadBufferSize = 512 }),
    };

    /// <summary>The names of all that a client may have.</summary>
    public static IEnumerable<string> Names(Proxy proxy, ConfigIndex config)
        => config.TcpListeners.Places(proxy.BindsToPort)
            .Where(place => config.TcpListeners.TargetsAt(place.Address, place.Port, proxy.BindsToPort).Any(target => IsSeen(proxy, config, target)))
            .Select(place => new TcpListenerKey(place.Address.Length > 0 ? place.Address : SharedAddress(proxy), place.Port).ToString());

    /// <summary>What a client reaches by a listener, the oldest service first.</summary>
    public static IReadOnlyList<TcpListenerTarget> TargetsOf(Proxy proxy, ConfigIndex config, TcpListenerKey key)
        =>
        [
            .. config.TcpListeners.TargetsAt(key.Bind == SharedAddress(proxy) ? "" : key.Bind, key.Port, proxy.BindsToPort)
                .Where(target => IsSeen(proxy, config, target)),
        ];

    /// <returns>The listener, or <see langword="null"/> when the client knows no such address and port.</returns>
    public static Listener? Generate(Proxy proxy, ConfigIndex config, TcpListenerKey key)
    {
        var targets = TargetsOf(proxy, config, key);
        if (proxy.Kind != ProxyKind.Mesh || targets.Count == 0)
        {
            return null;
        }

        var listener = new Listener
        {
            Name = key.ToString(),
            Address = new Address { SocketAddress = new SocketAddress { Address = key.Bind, PortValue = key.Port } },
            TrafficDirection = TrafficDirection.Outbound,
            ContinueOnListenerFiltersTimeout = true,
            ListenerFiltersTimeout = config.Mesh.Config.ProtocolDetectionTimeout ?? new Duration(),
            AccessLog = { config.SignalsOf(proxy, WorkloadMode.Client).ListenerLogs },
        };
        if (proxy.BindsToPort)
        {
            listener.MaxConnectionsToAcceptPerSocketEvent = 1;
        }
        else
        {
            // Connections come redirected, by the address that they were meant for.
            listener.BindToPort = false;
        }

        // A socket of the listener's own has no other destination: passing it on would lead back here.
        AddChains(listener, targets.SelectMany(target => ChainsOf(proxy, config, key, target)), passesOn: proxy.BindsToPort ? null : config.SignalsOf(proxy, WorkloadMode.Client));
        return listener;
    }

    private static IReadOnlyList<FilterChain> ChainsOf(Proxy proxy, ConfigIndex config, TcpListenerKey key, TcpListenerTarget target)
        => new TcpChainTranslator(proxy, config, target, key.Bind != SharedAddress(proxy))
            .Translate(config.ScopeOf(proxy).FindVirtualServices(target.Service.Host, target.Port.Number));

    /// <summary>Puts chains into a listener, and what inspects connections for them.</summary>
    /// <param name="listener">The listener.</param>
    /// <param name="chains">The chains in their order; those without conditions are for the rest.</param>
    /// <param name="passesOn">Connections that none is for go on to where they were going, and this is told of them; <see langword="null"/>: they do not.</param>
    public static void AddChains(Listener listener, IEnumerable<FilterChain> chains, ListenerSignals? passesOn)
    {
        // Envoy refuses a listener with two chains of the same conditions: the first one counts.
        var conditions = new HashSet<FilterChainMatch>();
        FilterChain? forTheRest = null;
        foreach (var chain in chains)
        {
            if (chain.FilterChainMatch is null)
            {
                forTheRest ??= chain;
            }
            else if (conditions.Add(chain.FilterChainMatch))
            {
                listener.FilterChains.Add(chain);
            }
        }

        if (listener.FilterChains.Any(chain => chain.FilterChainMatch.ServerNames.Count > 0))
        {
            listener.ListenerFilters.Add(TlsInspector);
        }

        if (forTheRest is not null && listener.FilterChains.Count == 0)
        {
            listener.FilterChains.Add(forTheRest);
            return;
        }

        if (forTheRest is null && passesOn is not null)
        {
            forTheRest = new FilterChain
            {
                Name = PassthroughChain,
                FilterChainMatch = new FilterChainMatch(),
                Filters = { TcpProxyTranslator.To(PassthroughCluster.Name, passesOn) },
            };
        }

        listener.DefaultFilterChain = forTheRest;
    }

    /// <summary>Where services listen that have no address of their own, or where nothing is redirected.</summary>
    private static string SharedAddress(Proxy proxy)
        => (proxy.BindsToPort, proxy.IsIpv6Only) switch
        {
            (true, true) => "::1",
            (true, false) => "127.0.0.1",
            (false, true) => "::",
            _ => "0.0.0.0",
        };

    private static bool IsSeen(Proxy proxy, ConfigIndex config, TcpListenerTarget target)
        => config.ScopeOf(proxy).FindService(target.Service.Host) is { } seen && ReferenceEquals(seen.Whole, target.Service) && seen.FindPort(target.Port.Number) is not null;
}
