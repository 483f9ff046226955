using Mesh.DataPlane.Bypass;
using Mesh.DataPlane.Calls;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Explaining;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.LoadReporting;
using Mesh.DataPlane.Outbound;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Tcp;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Tls;
using Mesh.DataPlane.Transports;
using Mesh.DataPlane.Upstream;
using Mesh.Xds.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.DataPlane;

/// <summary>The engine of one process: what it believes of the mesh, and its way out.</summary>
internal sealed class MeshEngine : IAsyncDisposable, IDisposable
{
    private readonly Lock _sync = new();
    private readonly RequestSignals _outsideSignals;

    public MeshEngine(
        IXdsClient client,
        MeshOptions options,
        IEndpointTransportFactory transports,
        IRandomSource random,
        TimeProvider time,
        IDecisionObserver? observer = null,
        ILogger<MeshEngine>? logger = null,
        HttpFilters? filters = null,
        IDnsResolver? dns = null,
        BackOffTime? backOff = null)
    {
        logger ??= NullLogger<MeshEngine>.Instance;
        filters ??= new HttpFilters(FilterTypes.BuiltIn, new FilterServices(time, random));
        Filters = filters;
        Notes = new ResourceNotes(logger);
        Client = client;
        Observer = observer;
        Clusters = new ClusterRegistry(client, transports, new DnsDiscovery(new SharedLookups(dns ?? DnsResolvers.Create(options.Client, time)), random, time, logger), random, time, Notes, logger, _sync)
        {
            Locality = options.Workload.Locality,
            Secrets = new SecretSources(client, () => Identity, time, options.Xds.ResourceTimeout),
        };
        Routes = new RouteRegistry(client, filters.Routes, Clusters, Notes, time, options.Xds.ResourceTimeout, _sync);
        Connections = new TcpTables(Clusters, time, options.Xds.ResourceTimeout, options.Client.DrainDuration, _sync);
        Hosts = new HostDirectory(client, Routes, Connections, filters, Notes, options, time, _sync);
        Tcp = new TcpUpstream(random, time, filters.Services.Telemetry) { OutsideSettings = () => Outbound!.SignalSettings };
        Outbound = new OutboundPolicy(client, Routes, Connections, Clusters.OutsideClusters, filters, Notes, options, time, logger, _sync);
        var headerClusters = new HeaderClusters(Clusters, time, options.Client.UnknownHostTimeout, _sync);
        Decisions = new DecisionMaker(headerClusters);
        var router = new Router(Decisions, headerClusters, Hosts, Outbound, random, time, observer, backOff, filters.Services.Telemetry.OwnMetadata);
        Upstream = router;

        // The client's own handler makes the spans of what leaves the mesh.
        _outsideSignals = filters.Services.Telemetry.SignalsOf(SignalSettings.Default, Reporter.Source) with { Tracer = null };
        filters.Services.Telemetry.Tracing.Calls = filters.Services.Calls = new ClusterCalls(Clusters, router, random, time, options.Xds.ResourceTimeout, _sync);
        if (filters.Services.Telemetry.AccessLogs is { } logs)
        {
            logs.Calls = filters.Services.Calls;
        }
    }

    public IXdsClient Client { get; }

    public HttpFilters Filters { get; }

    public ResourceNotes Notes { get; }

    public ClusterRegistry Clusters { get; }

    public RouteRegistry Routes { get; }

    /// <summary>The listeners for connections that are followed.</summary>
    public TcpTables Connections { get; }

    public HostDirectory Hosts { get; }

    /// <summary>The ports of this process that the mesh covers; <see langword="null"/> when it covers none.</summary>
    public InboundPorts? Ports { get; set; }

    /// <summary>What happens to hosts that the mesh does not know.</summary>
    public OutboundPolicy Outbound { get; }

    public IUpstream Upstream { get; }

    /// <summary>What becomes of requests that leave the mesh, or are refused because they would.</summary>
    public RequestSignals OutsideSignals => Outbound.Signals ?? _outsideSignals;

    /// <summary>Decides where requests go, for explanations: deciding changes nothing.</summary>
    public DecisionMaker Decisions { get; }

    /// <summary>The way out for connections that are carried as they are.</summary>
    public TcpUpstream Tcp { get; }

    public IDecisionObserver? Observer { get; }

    /// <summary>The certificate and the authorities of this process; <see langword="null"/> when it has no identity.</summary>
    public ISecretSource? Identity { get; init; }

    /// <summary>Tells the control plane the load; <see langword="null"/> when nobody has asked for that.</summary>
    public LoadReporter? LoadReporter { get; set; }

    /// <summary>The hosts that this process reaches beside the mesh; <see langword="null"/> while nobody watches.</summary>
    public IBypassedHosts? Bypassed { get; set; }

    /// <summary>For containers that are disposed synchronously: the stream to the control plane ends by itself.</summary>
    public void Dispose()
    {
        LoadReporter?.Dispose();
        Hosts.Dispose();
        Outbound.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        Dispose();
        await Client.DisposeAsync().ConfigureAwait(false);
    }
}
