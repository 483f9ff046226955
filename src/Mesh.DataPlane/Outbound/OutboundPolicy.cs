using System.Collections.Concurrent;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Tcp;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Upstream;
using Mesh.Xds.Client;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Outbound;

/// <summary>
/// What happens to hosts that the mesh does not know (Istio's <c>outboundTrafficPolicy</c>). The control plane says it by the listener
/// <c>virtualOutbound</c>, which is asked for when the process makes its first client and followed for as long as it lives; the application's own
/// setting wins. Requests to hosts of the mesh never come here.
/// </summary>
internal sealed partial class OutboundPolicy : IDisposable
{
    /// <summary>Istio's name for the listener that takes whatever no other does.</summary>
    public const string ListenerName = "virtualOutbound";

    // A process that is refused more hosts than this has told its story.
    private const int MaxToldHosts = 256;

    private const string AllowAny = "ALLOW_ANY";
    private const string RegistryOnly = "REGISTRY_ONLY";
    private const string Setting = "Mesh:Client:OutboundTrafficPolicy";

    private static readonly HttpRequestMessage Connection = new(HttpMethod.Connect, "http://outside/");

    private readonly HostEntry _entry = new(new HostKey(ListenerName, 0), isMeshName: false);
    private readonly HostSubscription? _subscription;
    private OutsideSignals? _signals;
    private bool _started;
    private bool _disposed;
    private readonly OutboundTrafficMode? _mode;
    private readonly OutsideClusters _clusters;
    private readonly AnswerWait _wait;
    private readonly ILogger _logger;
    private readonly Lock _sync;
    private readonly ConcurrentDictionary<HostKey, bool> _told = new();

    public OutboundPolicy(
        IXdsClient client,
        RouteRegistry routes,
        TcpTables connections,
        OutsideClusters clusters,
        HttpFilters filters,
        ResourceNotes notes,
        MeshOptions options,
        TimeProvider time,
        ILogger logger,
        Lock sync)
    {
        (_clusters, _logger, _sync) = (clusters, logger, sync);
        _wait = new AnswerWait(client, options, time);
        _mode = options.Client.OutboundTrafficPolicy;
        if (_mode is null)
        {
            _subscription = new HostSubscription(_entry, client, routes, connections, filters, notes, sync, ListenerName);
        }
    }

    public OutboundStatus Status
    {
        get
        {
            var (policy, source) = Describe();
            return new OutboundStatus(
                policy, source, _mode is null ? _entry.State.ListenerVersion : "", _clusters.PassthroughStats.OutsideRequests.Value, _clusters.BlackHoleStats.OutsideRequests.Value);
        }
    }

    /// <summary>
    /// Asks for the policy if nobody has yet. Whoever makes a client calls it, and not the engine's own start: a process that only serves has no use
    /// for it, and its stream would be open before it could say on it where it listens.
    /// </summary>
    public void Start()
    {
        if (_subscription is null || Volatile.Read(ref _started))
        {
            return;
        }

        lock (_sync)
        {
            if (!_started && !_disposed)
            {
                _subscription.Start();
            }

            Volatile.Write(ref _started, true);
        }
    }

    /// <summary>Whether there is nothing to wait for any more.</summary>
    public bool IsKnown => _mode is not null || _entry.State.Status != HostStatus.Pending || _entry.HasTimedOut;

    /// <summary>
    /// Waits, as for a host outside of the mesh, until the control plane has said what its policy is: only a process that has just started waits.
    /// </summary>
    public async ValueTask WhenKnownAsync(CancellationToken cancellationToken)
    {
        Start();
        if (IsKnown)
        {
            return;
        }

        try
        {
            await _wait.ForAsync(_entry, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _entry.HasTimedOut = true;
        }
    }

    /// <summary>What its listener says of signals; what holds by default where there is none.</summary>
    public SignalSettings SignalSettings => _entry.State.Settings.Signals;

    /// <summary>What becomes of requests that leave the mesh, or are refused because they would; <see langword="null"/> where no listener says so.</summary>
    public RequestSignals? Signals
    {
        get
        {
            if (_entry.State.Signals is not { } said)
            {
                return null;
            }

            if (_signals is { } known && ReferenceEquals(known.Said, said))
            {
                return known.Untraced;
            }

            // The client's own handler makes the spans of what leaves the mesh.
            var untraced = said with { Tracer = null };
            _signals = new OutsideSignals(said, untraced);
            return untraced;
        }
    }

    /// <summary>Decides on a request to a host that the mesh does not know, and counts it.</summary>
    public OutboundDecision Admit(HostKey host, HttpRequestMessage request) => Count(host, Decide(host, request));

    /// <summary>The same without counting it: for explanations.</summary>
    public OutboundDecision Peek(HostKey host, HttpRequestMessage request) => Decide(host, request);

    /// <summary>What would become of a connection, without counting it: for explanations.</summary>
    public OutboundDecision PeekConnection(HostKey host) => Decide(host, Connection);

    /// <summary>Decides on a connection that carries something other than HTTP, or HTTP that nobody here can read, and counts it.</summary>
    public OutboundDecision AdmitConnection(HostKey host) => Count(host, Decide(host, Connection));

    /// <summary>What the requests of an outside host go by now; <see langword="null"/> when the policy does not route them any more.</summary>
    public HostEntry? EntryOf(HostKey host)
    {
        return _mode is null && _entry.State is { Status: HostStatus.Meshed, Table: { } table } state
            ? Outside(host, state, table.VirtualHosts.Find(host.Authority))
            : null;
    }

    public void Dispose()
    {
        lock (_sync)
        {
            _disposed = true;
            _subscription?.Dispose();
        }
    }

    private OutboundDecision Decide(HostKey host, HttpRequestMessage request)
    {
        switch (_mode)
        {
            case OutboundTrafficMode.AllowAny:
                return new OutboundDecision(OutboundVerdict.Pass, $"{Setting} is AllowAny");
            case OutboundTrafficMode.RegistryOnly:
                return new OutboundDecision(OutboundVerdict.Refuse, $"the outbound traffic policy is REGISTRY_ONLY ({Setting}) and no service or ServiceEntry names the host");
        }

        var state = _entry.State;
        if (state.Status == HostStatus.Failed)
        {
            return new OutboundDecision(OutboundVerdict.Refuse, $"the control plane's outbound traffic policy cannot be used: {state.Error}");
        }

        if (state.Table is not { } table)
        {
            return new OutboundDecision(OutboundVerdict.Pass, "the control plane has no outbound traffic policy");
        }

        var authority = host.Authority;
        var virtualHost = table.VirtualHosts.Find(authority);
        var uri = request.RequestUri!;
        var route = virtualHost?.Match(
            new RequestView(uri.PathAndQuery, request.Method.Method, authority, uri.Scheme, HttpRequestHeaderReader.Instance, request), draw: 0);
        return route?.Action switch
        {
            RouteAction.ToCluster { Cluster.Name: OutsideClusters.Passthrough }
                => new OutboundDecision(OutboundVerdict.Pass, $"the outbound traffic policy is ALLOW_ANY ({virtualHost!.Name})"),
            RouteAction.ToCluster { Cluster.Name: OutsideClusters.BlackHole } or null
                => new OutboundDecision(OutboundVerdict.Refuse, RefusedBy(virtualHost)),
            RouteAction.Respond respond
                => new OutboundDecision(OutboundVerdict.Refuse, RefusedBy(virtualHost)) { Status = respond.Status, Body = respond.Body },
            _ => new OutboundDecision(OutboundVerdict.Route, $"the outbound traffic policy has a route for it ({virtualHost!.Name})") { Entry = Outside(host, state, virtualHost), Action = route!.Action },
        };
    }

    private static HostEntry Outside(HostKey host, HostState state, VirtualHost? virtualHost)
    {
        var entry = new HostEntry(host, isMeshName: false) { IsOutside = true };
        entry.Publish(state with { VirtualHost = virtualHost });
        return entry;
    }

    private static string RefusedBy(VirtualHost? virtualHost)
        => $"the outbound traffic policy of the mesh is REGISTRY_ONLY ({virtualHost?.Name ?? "no virtual host"} of {ListenerName}) and no service or ServiceEntry names the host";

    private OutboundDecision Count(HostKey host, OutboundDecision decision)
    {
        switch (decision.Verdict)
        {
            case OutboundVerdict.Pass:
                _clusters.PassthroughStats.OutsideRequests.Increment();
                break;
            case OutboundVerdict.Refuse:
                _clusters.BlackHoleStats.OutsideRequests.Increment();
                if (_told.Count < MaxToldHosts && _told.TryAdd(host, true))
                {
                    Log.Refused(_logger, host, decision.Reason);
                }

                break;
        }

        return decision;
    }

    private (string Policy, string Source) Describe()
    {
        if (_mode is { } mode)
        {
            return (mode == OutboundTrafficMode.AllowAny ? AllowAny : RegistryOnly, Setting);
        }

        var state = _entry.State;
        return state.Status switch
        {
            HostStatus.Pending => (AllowAny, "the control plane has not said yet"),
            HostStatus.Unknown => (AllowAny, "the control plane has no policy"),
            HostStatus.Failed => (RegistryOnly, $"the control plane's policy cannot be used: {state.Error}"),
            _ => (PolicyOf(state.Table!), $"the control plane ({ListenerName})"),
        };
    }

    private static string PolicyOf(RouteTable table)
        => table.VirtualHosts.Find(ListenerName)?.Routes is [{ Action: var action }, ..]
            ? action switch
            {
                RouteAction.ToCluster { Cluster.Name: OutsideClusters.Passthrough } => AllowAny,
                RouteAction.ToCluster { Cluster.Name: not OutsideClusters.BlackHole and var cluster } => cluster,
                RouteAction.ToCluster or RouteAction.Respond => RegistryOnly,
                _ => string.Join(", ", action.Clusters.Select(c => c.Name)),
            }
            : RegistryOnly;

    private sealed record OutsideSignals(RequestSignals Said, RequestSignals Untraced);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Requests to {Host} are refused: {Reason}. Add a ServiceEntry for it if it should be called; this is said once for each host.")]
        public static partial void Refused(ILogger logger, HostKey host, string reason);
    }
}
