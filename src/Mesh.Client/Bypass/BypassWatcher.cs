using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Tracing;
using System.Net;
using Mesh.DataPlane.Bypass;
using Microsoft.Extensions.Logging;

namespace Mesh.Client.Bypass;

/// <summary>
/// Names the hosts that the process reaches beside the mesh, by the runtime's own activities of sockets and events of look-ups: these come once a
/// connection, not once a request. Each host is told once and counted; what the mesh connects to itself does not count, and neither do attempts that failed.
/// </summary>
internal sealed partial class BypassWatcher : EventListener, IBypassedHosts
{
    /// <summary>Hosts that are told apart; further ones are counted together.</summary>
    public const int MaxHosts = 1000;

    private const string NameResolution = "System.Net.NameResolution";

    // .NET 10 calls it experimental; it is to lose that word. The events of sockets are no way: as long as they are on, every read and write is counted.
    private const string Sockets = "System.Net.Sockets";
    private const string ExperimentalSockets = "Experimental." + Sockets;

    private const string NameProperty = "mesh.resolved_name";
    private const string OwnProperty = "mesh.own";

    // The base class calls back before this class has been constructed: until then there is nowhere to count.
    private readonly ConcurrentDictionary<BypassedHost, BypassCount>? _hosts;
    private readonly ILogger? _logger;
    private readonly AsyncLocal<ResolvedName?>? _name;
    private readonly ActivityListener? _connections;
    private long _others;

    public BypassWatcher(ILogger<BypassWatcher> logger)
    {
        _name = new AsyncLocal<ResolvedName?>();
        _logger = logger;
        _hosts = new ConcurrentDictionary<BypassedHost, BypassCount>();
        _connections = new ActivityListener
        {
            ShouldListenTo = static source => source.Name is Sockets or ExperimentalSockets,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => Sample(),
            SampleUsingParentId = static (ref ActivityCreationOptions<string> _) => Sample(),
            ActivityStarted = OnConnecting,
            ActivityStopped = OnConnected,
        };
        ActivitySource.AddActivityListener(_connections);
    }

    /// <summary>The connections made beside the mesh, by host.</summary>
    public IReadOnlyDictionary<BypassedHost, long> Counts => _hosts!.ToDictionary(h => h.Key, h => h.Value.Value);

    public IReadOnlyDictionary<string, long> ByHost => _hosts!.ToDictionary(h => h.Key.ToString(), h => h.Value.Value, StringComparer.Ordinal);

    /// <summary>Connections to hosts beyond <see cref="MaxHosts"/>.</summary>
    public long Others => Interlocked.Read(ref _others);

    public override void Dispose()
    {
        _connections?.Dispose();
        base.Dispose();
    }

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == NameResolution)
        {
            EnableEvents(eventSource, EventLevel.Informational);
        }
    }

    // Runs on the thread that looks up, within its execution context: so does the connection that comes after it.
    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (_name is not null && !OwnConnections.AreMade && eventData is { EventName: "ResolutionStart", Payload: [string name, ..] })
        {
            _name.Value = new ResolvedName(name);
        }
    }

    // Tags are set for those who want all data; nobody exports it for that.
    private static ActivitySamplingResult Sample() => OwnConnections.AreMade ? ActivitySamplingResult.None : ActivitySamplingResult.AllData;

    // Runs where the connection is begun; where it ends, the execution context may be another.
    private void OnConnecting(Activity activity)
    {
        // Others may listen as well, and have wanted what this one did not.
        if (OwnConnections.AreMade)
        {
            activity.SetCustomProperty(OwnProperty, OwnProperty);
        }
        else if (_name!.Value is { IsUsed: false } resolved)
        {
            activity.SetCustomProperty(NameProperty, resolved);
        }
    }

    private void OnConnected(Activity activity)
    {
        if (activity.GetCustomProperty(OwnProperty) is not null
            || activity.GetTagItem("error.type") is not null
            || activity.GetTagItem("network.transport") is not "tcp"
            || activity.GetTagItem("network.peer.port") is not int port
            || !IPAddress.TryParse(activity.GetTagItem("network.peer.address") as string, out var peer))
        {
            return;
        }

        // A socket of both families writes the addresses of one as the other's.
        var address = peer.IsIPv4MappedToIPv6 ? peer.MapToIPv4() : peer;
        if (OwnConnections.IsListener(address, port))
        {
            return;
        }

        var name = address.ToString();
        if (activity.GetCustomProperty(NameProperty) is ResolvedName resolved)
        {
            // After a failure the next address of the name follows; after a connection the name is used up.
            resolved.IsUsed = true;
            name = resolved.Name;
        }

        Count(new BypassedHost(name, port));
    }

    internal void Count(BypassedHost host)
    {
        if (_hosts!.TryGetValue(host, out var count))
        {
            count.Increment();
        }
        else if (_hosts.Count >= MaxHosts)
        {
            if (Interlocked.Increment(ref _others) == 1)
            {
                Log.TooMany(_logger!, MaxHosts);
            }
        }
        else if (_hosts.TryAdd(host, new BypassCount()))
        {
            Log.Reached(_logger!, host);
        }
        else
        {
            _hosts[host].Increment();
        }
    }

    /// <summary>A name that was looked up on the way to a connection.</summary>
    private sealed class ResolvedName(string name)
    {
        public string Name { get; } = name;

        public bool IsUsed { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "This process connects to {Host} beside the mesh: no rule, retry or policy applies there, and nothing of it is measured. Let the client come from IHttpClientFactory, give a WebSocket or gRPC channel what IMeshHttpMessageHandlerFactory makes, connect a driver by IMeshConnector, or let Mesh:Client:DefaultProxy catch clients that are made by 'new'. Mesh:Client:WatchBypass = false silences this.")]
        public static partial void Reached(ILogger logger, BypassedHost host);

        [LoggerMessage(2, LogLevel.Warning, "This process has connected to more than {Limit} hosts beside the mesh; further ones are counted and not named.")]
        public static partial void TooMany(ILogger logger, int limit);
    }
}
