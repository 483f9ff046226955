using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using Microsoft.Extensions.Logging;

namespace Mesh.Client.Bypass;

/// <summary>
/// Names the hosts that the process reaches beside the mesh, by the runtime's own events of sockets and look-ups: these come once a connection, not
/// once a request. Each host is told once and counted; what the mesh connects to itself does not count.
/// </summary>
internal sealed partial class BypassWatcher : EventListener
{
    /// <summary>Hosts that are told apart; further ones are counted together.</summary>
    public const int MaxHosts = 1000;

    private const string Sockets = "System.Net.Sockets";
    private const string NameResolution = "System.Net.NameResolution";

    // The base class calls back before this class has been constructed: until then there is nowhere to count.
    private readonly ConcurrentDictionary<BypassedHost, BypassCount>? _hosts;
    private readonly ILogger? _logger;
    private readonly IMeshTcpListeners? _listeners;
    private readonly AsyncLocal<ResolvedName?>? _name;
    private long _others;

    public BypassWatcher(ILogger<BypassWatcher> logger, IMeshTcpListeners? listeners = null)
    {
        _name = new AsyncLocal<ResolvedName?>();
        _logger = logger;
        _listeners = listeners;
        _hosts = new ConcurrentDictionary<BypassedHost, BypassCount>();
    }

    /// <summary>The connections made beside the mesh, by host.</summary>
    public IReadOnlyDictionary<BypassedHost, long> Counts => _hosts!.ToDictionary(h => h.Key, h => h.Value.Value);

    /// <summary>Connections to hosts beyond <see cref="MaxHosts"/>.</summary>
    public long Others => Interlocked.Read(ref _others);

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name is Sockets or NameResolution)
        {
            EnableEvents(eventSource, EventLevel.Informational);
        }
    }

    // Runs on the thread that connects, within its execution context: what the mesh has marked is seen here.
    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (_hosts is null || OwnConnections.AreMade)
        {
            return;
        }

        switch (eventData.EventName)
        {
            case "ResolutionStart" when eventData.Payload is [string name, ..]:
                _name!.Value = new ResolvedName(name);
                break;
            case "ConnectStart" when eventData.Payload is [string address, ..]:
                OnConnect(address);
                break;
            case "ConnectFailed" when _name!.Value is { } tried:
                tried.HasFailed = true;
                break;
            case "ConnectStop" when _name!.Value is { } reached:
                // The next address of the name follows a failure; after a connection the name is used up.
                reached.IsUsed = !reached.HasFailed;
                reached.HasFailed = false;
                break;
            default:
                break;
        }
    }

    private void OnConnect(string text)
    {
        if (SocketAddressText.Parse(text) is not { } address)
        {
            return;
        }

        // A port of the mesh's own leads into it.
        foreach (var listener in _listeners?.All ?? [])
        {
            if (listener.LocalEndPoint.Port == address.Port && listener.LocalEndPoint.Address.Equals(address.Address))
            {
                return;
            }
        }

        Count(new BypassedHost(_name!.Value is { IsUsed: false } resolved ? resolved.Name : address.Address.ToString(), address.Port));
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

        public bool HasFailed { get; set; }

        public bool IsUsed { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "This process connects to {Host} beside the mesh: no rule, retry or policy applies there, and nothing of it is measured. Let the client come from IHttpClientFactory or take IHttpMessageHandlerFactory's handler; for other protocols connect by IMeshConnector. Mesh:Client:WatchBypass = false silences this.")]
        public static partial void Reached(ILogger logger, BypassedHost host);

        [LoggerMessage(2, LogLevel.Warning, "This process has connected to more than {Limit} hosts beside the mesh; further ones are counted and not named.")]
        public static partial void TooMany(ILogger logger, int limit);
    }
}
