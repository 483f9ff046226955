using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Routing;

namespace Mesh.DataPlane.Inbound.Http;

/// <summary>What a filter chain of a listener does with requests, bound to time and chance; immutable, and another one with each version of the listener.</summary>
internal sealed class InboundHttpTable
{
    private readonly VirtualHostTable _hosts;
    private readonly FilterServices _services;
    private readonly FilterChains? _filters;

    public InboundHttpTable(InboundHttp http, FilterServices services)
    {
        _services = services;
        _hosts = InboundRoutes.Bind(http.Routes);
        _filters = http.Filters.Length > 0 ? new FilterChains(http.Filters, services, http.Settings.Signals.StatPrefix) : null;
        Settings = http.Settings;
        Signals = services.Telemetry.SignalsOf(Settings.Signals, Telemetry.Reporter.Destination);
    }

    public InboundHttpSettings Settings { get; }

    /// <summary>The filters, for explanations; <see langword="null"/> when there are none.</summary>
    public FilterChains? Filters => _filters;

    /// <summary>The virtual hosts, for explanations.</summary>
    public VirtualHostTable Hosts => _hosts;

    /// <summary>What becomes of its requests.</summary>
    public Telemetry.RequestSignals Signals { get; }

    /// <summary>The application's routing takes no notice of slashes at the end of a path.</summary>
    public bool IgnoresTrailingSlashes => _services.CaseInsensitivePaths;

    public TimeProvider Time => _services.Time;

    /// <summary>What peers have told of themselves.</summary>
    public Telemetry.Peers.PeerMetadata Peers => _services.Telemetry.Peers;

    public IRandomSource Random => _services.Random;

    public InboundRoute Route(scoped in RequestView request, ulong draw)
    {
        // An authority that has to be looked up by name is the exception: an inbound listener is for whatever the port is called.
        var host = _hosts.Any ?? _hosts.Find(request.Authority.ToString());
        return new InboundRoute(host, host?.Match(request, draw));
    }

    /// <summary>The filters of a route, or of requests that no route is for; <see langword="null"/> when there are none that do anything.</summary>
    public FilterChain? ChainOf(RouteEntry? route) => _filters?.Of(route?.Policy.FilterConfigs, null);
}
