using Envoy.Config.Core.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Envoy.Extensions.TransportSockets.Tls.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Tcp;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.DataPlane.Telemetry.Metrics;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.Xds.Client;
using EnvoyTcpProxy = Envoy.Extensions.Filters.Network.TcpProxy.V3.TcpProxy;
using FilterChain = Envoy.Config.Listener.V3.FilterChain;

namespace Mesh.DataPlane.Inbound;

/// <summary>
/// Compiles listeners for what comes in by a port of this process (gRFC A36, and what Istio's sidecars get): filter chains that end with an
/// <c>HttpConnectionManager</c>, or with <c>tcp_proxy</c> for connections that the application gets as they are.
/// </summary>
internal static class InboundListenerCompiler
{
    private static readonly string[] _ownClusters = ["InboundPassthroughCluster", "InboundPassthroughClusterIpv4", "InboundPassthroughClusterIpv6"];

    private static readonly Dictionary<string, string> _told = new(StringComparer.Ordinal)
    {
        ["use_original_dst"] = "a connection belongs to the port that it came in by",
        ["bind_to_port"] = "the application says where it listens",
        ["max_connections_to_accept_per_socket_event"] = "the application's server accepts connections",
    };

    /// <summary>Whether a listener is for connections that come in: it says so, or says what only such a one can say.</summary>
    public static bool IsOne(Listener listener)
        => listener.ApiListener is null
            && (listener.TrafficDirection == TrafficDirection.Inbound
                || listener.FilterChains.Append(listener.DefaultFilterChain).Any(chain => chain is not null
                    && (chain.TransportSocket?.TypedConfig?.Is(DownstreamTlsContext.Descriptor) == true
                        || chain.Filters.Any(f => f.TypedConfig?.Is(HttpConnectionManager.Descriptor) == true))));

    /// <exception cref="ResourceRejectedException">It breaks a rule, or asks for what would let connections pass if it were left out.</exception>
    public static InboundListenerResource Compile(Listener listener, FilterTypes filterTypes, ICollection<string> notes)
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

        if (listener.FilterChains.Count == 0 && listener.DefaultFilterChain is null)
        {
            throw new ResourceRejectedException("filter_chains", "must not be empty: every connection would be closed");
        }

        var logs = AccessLogCompiler.Compile(listener.AccessLog, "access_log", notes);
        var chains = listener.FilterChains.Select((chain, i) => Chain(chain, logs, $"filter_chains[{i}]", isDefault: false, filterTypes, notes)).ToList();
        TcpListenerCompiler.RefuseTwins(listener);
        return new InboundListenerResource(chains, listener.DefaultFilterChain is { } rest ? Chain(rest, logs, "default_filter_chain", isDefault: true, filterTypes, notes) : null)
        {
            Signals = new SignalSettings { AccessLogs = logs },
            Inspection = TcpListenerCompiler.Inspection(listener, notes),
        };
    }

    private static InboundFilterChain Chain(
        FilterChain chain, IReadOnlyList<AccessLogSettings> logs, string path, bool isDefault, FilterTypes filterTypes, ICollection<string> notes)
    {
#pragma warning disable CS0612 // Superseded by a listener filter.
        if (chain.UseProxyProto == true)
#pragma warning restore CS0612
        {
            throw new ResourceRejectedException($"{path}.use_proxy_proto", "is not supported, and without it the header would be read as the first bytes of a request");
        }

        if (chain.Filters.Count == 0)
        {
            throw new ResourceRejectedException($"{path}.filters", "must end with an HttpConnectionManager or tcp_proxy");
        }

        var last = chain.Filters.Count - 1;
        var lastPath = $"{path}.filters[{last}]";
        var terminal = chain.Filters[last].TypedConfig;
        var isHttp = terminal?.Is(HttpConnectionManager.Descriptor) == true;
        if (!isHttp && terminal?.Is(EnvoyTcpProxy.Descriptor) != true)
        {
            throw new ResourceRejectedException(lastPath, $"'{chain.Filters[last].Name}' is neither an HttpConnectionManager nor tcp_proxy, with one of which a chain ends");
        }

        NetworkFilter[] filters = [.. chain.Filters.Take(last).Select((f, i) => NetworkFilterCompiler.Compile(f, $"{path}.filters[{i}]", notes)).OfType<NetworkFilter>()];
        var tls = DownstreamTlsCompiler.Compile(chain.TransportSocket, chain.TransportSocketConnectTimeout, path, notes);
        var http = isHttp ? InboundHttpCompiler.Compile(terminal!, $"{lastPath}.typed_config", filterTypes, notes) : null;
        var service = ServiceNames.Of(chain.Metadata);
        if (http is not null && service is not null)
        {
            http = http with { Settings = http.Settings with { Signals = http.Settings.Signals with { Service = service } } };
        }

        var proxy = isHttp ? null : Proxy(terminal!, $"{lastPath}.typed_config", notes);

        // The conditions of a default chain count for nothing, in Envoy as well.
        var match = isDefault ? TcpChainMatch.Any : TcpChainMatchCompiler.Compile(chain.FilterChainMatch, $"{path}.filter_chain_match", isInbound: true);
        return new InboundFilterChain(chain.Name, match, tls, filters, http, (terminal!.Value, service))
        {
            Asks = Array.Exists(filters, f => f.Clusters.Any()) ? ByteString.CopyFrom([.. chain.Filters.Take(last).SelectMany(f => f.ToByteArray())]) : null,
            Cluster = proxy?.Clusters[0].Cluster ?? "",
            Signals = new SignalSettings
            {
                Stats = StatsSettingsCompiler.Find(chain.Filters, $"{path}.filters", notes),
                Service = service,
                AccessLogs = AccessLogSettings.OfChain(proxy?.AccessLogs ?? [], logs),
            },
        };
    }

    // The connection is here already: it can be left to the application, and led nowhere else.
    private static TcpProxyPolicy Proxy(Any packed, string path, ICollection<string> notes)
    {
        var proxy = TcpProxyCompiler.Compile(packed, path, notes);
        if (proxy.Clusters is not [var only] || (!_ownClusters.Contains(only.Cluster) && !only.Cluster.StartsWith("inbound|", StringComparison.Ordinal)))
        {
            throw new ResourceRejectedException(path + ".cluster", "must be InboundPassthroughCluster or the inbound|… cluster of the port: this process has the connection itself, and leads it nowhere else");
        }

        foreach (var field in new[] { "idle_timeout", "max_downstream_connection_duration", "max_connect_attempts" })
        {
            if (EnvoyTcpProxy.Descriptor.FindFieldByName(field).Accessor.GetValue(EnvoyTcpProxy.Parser.ParseFrom(packed.Value)) is not null)
            {
                notes.Add($"{path}.{field} is not applied: the application's server has its own limits");
            }
        }

        return proxy;
    }
}
