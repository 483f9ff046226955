using Envoy.Config.Accesslog.V3;
using Envoy.Config.Listener.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Stats;

namespace Mesh.ControlPlane.Generators.Signals;

/// <summary>
/// What the listeners of one end of a workload's requests say of signals; equal when it comes out the same, so that workloads which differ in nothing
/// that signals tell of share their listeners.
/// </summary>
internal sealed class ListenerSignals : IEquatable<ListenerSignals>
{
    // Everything that a connection manager gets, in one: messages compare by what they say.
    private readonly HttpConnectionManager _http;
    private readonly FilterChain _tcp;
    private readonly IReadOnlySet<Collector> _collectors;
    private readonly int _hash;

    /// <param name="http">What connection managers get; its filters stand before the router.</param>
    /// <param name="connectionLogs">The access logs of connections that are not HTTP.</param>
    /// <param name="stats">What is measured.</param>
    /// <param name="collectors">Where it is sent.</param>
    public ListenerSignals(HttpConnectionManager http, IEnumerable<AccessLog> connectionLogs, PluginConfig? stats, IEnumerable<Collector> collectors)
    {
        _http = http;
        _tcp = new FilterChain { Filters = { stats is null ? [] : [StatsTranslator.NetworkFilter(stats)] } };
        ConnectionLogs = [.. connectionLogs];
        _collectors = collectors.ToHashSet();
        _hash = ConnectionLogs.Aggregate(HashCode.Combine(_http, _tcp), HashCode.Combine);
    }

    /// <summary>What those get who are told of none.</summary>
    public static ListenerSignals None { get; } = new(new HttpConnectionManager(), [], null, []);

    /// <summary>Filters of requests: they stand before the router.</summary>
    public IReadOnlyList<HttpFilter> HttpFilters => _http.HttpFilters;

    /// <summary>Filters of connections that are not HTTP: they stand before what carries the connection.</summary>
    public IEnumerable<Filter> NetworkFilters => _tcp.Filters;

    /// <summary>The access logs of connections that are not HTTP.</summary>
    public IReadOnlyList<AccessLog> ConnectionLogs { get; }

    /// <summary>What a listener logs itself, with Istio's filter: the connections that none of its chains is for.</summary>
    public IEnumerable<AccessLog> ListenerLogs
        => ConnectionLogs.Select(log => new AccessLog(log)
        {
            Filter = log.Filter is null ? NoChain : new AccessLogFilter { AndFilter = new AndFilter { Filters = { NoChain, log.Filter } } },
        });

    private static AccessLogFilter NoChain => new() { ResponseFlagFilter = new ResponseFlagFilter { Flags = { "NR" } } };

    /// <summary>Whether signals are sent by a cluster.</summary>
    public bool Names(SubsetKey cluster) => _collectors.Any(collector => collector.Cluster == cluster);

    /// <summary>The same of a host that no service has.</summary>
    public bool NamesHost(SubsetKey cluster) => _collectors.Any(collector => collector.Cluster == cluster && !collector.IsService);

    /// <summary>Puts everything into a connection manager but the filters.</summary>
    public void ApplyTo(HttpConnectionManager manager)
    {
        manager.AccessLog.AddRange(_http.AccessLog);
        manager.Tracing = _http.Tracing;
        manager.RequestIdExtension = _http.RequestIdExtension;
        manager.GenerateRequestId = _http.GenerateRequestId;
    }

    public bool Equals(ListenerSignals? other)
        => ReferenceEquals(this, other)
            || (other is not null && _hash == other._hash && _http.Equals(other._http) && _tcp.Equals(other._tcp)
                && ConnectionLogs.SequenceEqual(other.ConnectionLogs) && _collectors.SetEquals(other._collectors));

    public override bool Equals(object? obj) => Equals(obj as ListenerSignals);

    public override int GetHashCode() => _hash;
}
