using System.Net;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Listener.TlsInspector.V3;
using Google.Protobuf;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.DataPlane.Telemetry.Metrics;
using Mesh.DataPlane.Timeouts;
using Mesh.Xds.Client;
using Mesh.Xds.Validation;
using EnvoyTcpProxy = Envoy.Extensions.Filters.Network.TcpProxy.V3.TcpProxy;

namespace Mesh.DataPlane.Tcp;

/// <summary>
/// Compiles listeners whose filter chains carry connections by <c>tcp_proxy</c>. Nobody listens for a connection of this process: the listener says
/// what would have happened to it had it been redirected there.
/// </summary>
internal static class TcpListenerCompiler
{
    // Who may connect, and how: nobody does. The others are read below.
    private static readonly Dictionary<string, string> _told = new(StringComparer.Ordinal)
    {
        ["use_original_dst"] = "a connection of this process stays with the listener of its host",
        ["bind_to_port"] = "nobody listens here",
        ["max_connections_to_accept_per_socket_event"] = "nobody listens here",
    };

    /// <summary>Whether a listener is for connections that are no requests.</summary>
    public static bool IsOne(Listener listener)
        => listener.ApiListener is null
            && listener.FilterChains.Append(listener.DefaultFilterChain).SelectMany(chain => chain?.Filters ?? []).Any(f => f.TypedConfig?.Is(EnvoyTcpProxy.Descriptor) == true);

    /// <exception cref="ResourceRejectedException">It breaks a rule, or asks for what would carry connections elsewhere if it were left out.</exception>
    public static TcpListenerResource Compile(Listener listener, ICollection<string> notes)
    {
        if (listener.FilterChainMatcher is not null)
        {
            throw new ResourceRejectedException("filter_chain_matcher", "is not supported, and without it connections would take another chain");
        }

        foreach (var field in Listener.Descriptor.Fields.InDeclarationOrder())
        {
            if (_told.TryGetValue(field.Name, out var why) && field.Accessor.GetValue(listener) is not null)
            {
                notes.Add($"{field.Name} is not applied: {why}");
            }
        }

        var logs = AccessLogCompiler.Compile(listener.AccessLog, "access_log", notes);
        var chains = listener.FilterChains.Select((chain, i) => Chain(listener, chain, logs, $"filter_chains[{i}]", isDefault: false, notes)).ToList();
        RefuseTwins(listener);
        return new TcpListenerResource(chains, listener.DefaultFilterChain is { } rest ? Chain(listener, rest, logs, "default_filter_chain", isDefault: true, notes) : null)
        {
            Address = AddressOf(listener),
            Signals = new SignalSettings { AccessLogs = logs },
            Inspection = Inspection(listener, notes),
        };
    }

    /// <summary>As in Envoy: which of two chains with one match would be a matter of luck.</summary>
    public static void RefuseTwins(Listener listener)
    {
        for (var i = 0; i < listener.FilterChains.Count; i++)
        {
            var match = listener.FilterChains[i].FilterChainMatch ?? new FilterChainMatch();
            var twin = listener.FilterChains.Take(i).ToList().FindIndex(other => (other.FilterChainMatch ?? new FilterChainMatch()).Equals(match));
            if (twin >= 0)
            {
                throw new ResourceRejectedException($"filter_chains[{i}].filter_chain_match", $"is the same as that of filter_chains[{twin}]");
            }
        }
    }

    /// <summary>What a listener says of looking at first bytes.</summary>
    public static InspectionSettings Inspection(Listener listener, ICollection<string> notes)
    {
        var settings = new InspectionSettings { Timeout = InspectionTimeout(listener), ContinuesAfterTimeout = listener.ContinueOnListenerFiltersTimeout };
        for (var i = 0; i < listener.ListenerFilters.Count; i++)
        {
            var filter = listener.ListenerFilters[i];
            var path = $"listener_filters[{i}]";
            if (filter.TypedConfig?.Is(TlsInspector.Descriptor) != true)
            {
                throw new ResourceRejectedException(path, $"'{filter.Name}' is not supported; of listener filters tls_inspector is");
            }

            if (filter.FilterDisabled is not null)
            {
                notes.Add($"{path}.filter_disabled is not applied: connections are inspected where a chain asks for it");
            }

            path += ".typed_config";
            var inspector = WireMessage.Parse(TlsInspector.Parser, filter.TypedConfig.Value, path);
            foreach (var note in WireMessage.Validate(inspector, filter.TypedConfig.Value, TlsInspector.Parser, path))
            {
                notes.Add(note);
            }

            foreach (var field in new[] { "enable_ja3_fingerprinting", "enable_ja4_fingerprinting" })
            {
                if (TlsInspector.Descriptor.FindFieldByName(field).Accessor.GetValue(inspector) is not null)
                {
                    notes.Add($"{path}.{field} is not applied: nobody here asks for fingerprints");
                }
            }

            settings = settings with
            {
                MaxClientHello = (int)Math.Min(inspector.MaxClientHelloSize ?? ClientHello.MaxLength, ClientHello.MaxLength),
                ClosesOnInvalidClientHello = inspector.CloseConnectionOnClientHelloParsingErrors,
            };
        }

        return settings;
    }

    private static TcpListenerResource.Chain Chain(
        Listener listener, FilterChain chain, IReadOnlyList<AccessLogSettings> logs, string path, bool isDefault, ICollection<string> notes)
    {
        if (chain.TransportSocket is not null)
        {
            throw new ResourceRejectedException($"{path}.transport_socket", "is not supported: the caller is this process, and nothing lies between it and the chain to be encrypted");
        }

#pragma warning disable CS0612 // Superseded by a listener filter, and still sent.
        if (chain.UseProxyProto is not null)
#pragma warning restore CS0612
        {
            notes.Add($"{path}.use_proxy_proto is not applied: the caller is this process, and announces itself by no header");
        }

        if (chain.TransportSocketConnectTimeout is not null)
        {
            notes.Add($"{path}.transport_socket_connect_timeout is not applied: there is no transport socket");
        }

        if (chain.Filters.Count == 0)
        {
            throw new ResourceRejectedException($"{path}.filters", "must end with tcp_proxy");
        }

        for (var i = 0; i < chain.Filters.Count; i++)
        {
            var filter = chain.Filters[i];
            var isLast = i == chain.Filters.Count - 1;
            if (isLast != (filter.TypedConfig?.Is(EnvoyTcpProxy.Descriptor) == true)
                && (isLast || !SignalFilters.IsOne(filter.TypedConfig, $"{path}.filters[{i}].typed_config")))
            {
                throw new ResourceRejectedException(
                    $"{path}.filters[{i}]",
                    isLast ? $"'{filter.Name}' is not tcp_proxy, with which a chain for connections ends" : $"'{filter.Name}' is not supported before tcp_proxy, and what it decides would be left out");
            }
        }

        // The conditions of a default chain count for nothing, in Envoy as well.
        var match = isDefault ? TcpChainMatch.Any : TcpChainMatchCompiler.Compile(chain.FilterChainMatch, $"{path}.filter_chain_match");
        var last = chain.Filters.Count - 1;
        var proxy = TcpProxyCompiler.Compile(chain.Filters[last].TypedConfig, $"{path}.filters[{last}].typed_config", notes);

        // What the listener says of every chain's connections makes another chain of each, too.
        var source = new Listener { FilterChains = { chain }, AccessLog = { listener.AccessLog } }.ToByteString();
        return new TcpListenerResource.Chain(chain.Name, match, proxy, source)
        {
            Signals = new SignalSettings { Stats = StatsSettingsCompiler.Find(chain.Filters, $"{path}.filters", notes), AccessLogs = AccessLogSettings.OfChain(proxy.AccessLogs, logs) },
        };
    }

    // Zero is none, as in Envoy, whose default is 15 seconds.
    private static TimeSpan InspectionTimeout(Listener listener)
        => TimeoutPolicyCompiler.Value(listener.ListenerFiltersTimeout, "listener_filters_timeout") switch
        {
            null => TimeSpan.FromSeconds(15),
            { } none when none == TimeSpan.Zero || none > TimerRange.Longest => Timeout.InfiniteTimeSpan,
            { } timeout => timeout,
        };

    private static IPAddress? AddressOf(Listener listener)
        => IPAddress.TryParse(listener.Address?.SocketAddress?.Address, out var address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any) ? address : null;
}
