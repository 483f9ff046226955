using System.Collections.Concurrent;
using Envoy.Config.Core.V3;
using Envoy.Config.Endpoint.V3;
using Mesh.ControlPlane.Analysis;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Generators;
using Mesh.ControlPlane.Issuers;
using Mesh.ControlPlane.Model;
using Mesh.ControlPlane.Monitoring;
using Mesh.ControlPlane.Registry;
using Mesh.ControlPlane.Security;
using Mesh.Xds.Ads;
using Mesh.Xds.Serving;
using Microsoft.Extensions.Logging;
using XdsNode = Mesh.Xds.Bootstrap.XdsNode;

namespace Mesh.ControlPlane.Discovery;

/// <summary>Documents and workloads on one side, ADS streams on the other: keeps the model current and says who has to be told.</summary>
internal sealed partial class DiscoveryServer : IAdsBackend, IDisposable
{
    /// <summary>Kinds of workloads that are remembered: the bound keeps one that invents labels from filling the memory.</summary>
    private const int MaxSeen = 10_000;

    private readonly object _applying = new();
    private readonly ConcurrentDictionary<string, WorkloadInstance> _seen = new(StringComparer.Ordinal);
    private readonly object _gate = new();
    private readonly IConfigStore _store;
    private readonly ServiceRegistry _registry;
    private readonly MeshModelBuilder _builder;
    private readonly ResourceCache _cache = new();
    private readonly Debouncer _debouncer;
    private readonly ConfigReporter _reporter;
    private readonly Gatekeeper? _gatekeeper;
    private readonly TrustBundle? _trustBundle;
    private readonly PilotMetrics? _metrics;
    private readonly OpenIdDiscovery? _issuers;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource<IAdsServer> _server = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Dictionary<string, WorkloadInstance?> _pendingWorkloads = new(StringComparer.Ordinal);
    private ConfigSnapshot? _pendingConfig;
    private long? _pendingSince;
    private bool _pendingIssuers;
    private IReadOnlyList<ConfigDiagnostic> _told = [];
    private ConfigSnapshot? _applied;
    private volatile MeshModel _model;
    private readonly TimeSpan _startGrace;
    private readonly TimeProvider _time;
    private ITimer? _startTimer;
    private volatile bool _isStarting;
    private long _epoch;
    private bool _disposed;

    public DiscoveryServer(IConfigStore store, ServiceRegistry registry, DiscoveryOptions options, TimeProvider time, ILogger<DiscoveryServer> logger, Gatekeeper? gatekeeper = null, TrustBundle? trustBundle = null, PilotMetrics? metrics = null, OpenIdDiscovery? issuers = null)
    {
        _issuers = issuers;
        _gatekeeper = gatekeeper;
        _trustBundle = trustBundle;
        _metrics = metrics;
        _store = store;
        _registry = registry;
        _logger = logger;
        _time = time;
        _startGrace = options.StartGrace;
        _builder = new MeshModelBuilder(options.ClusterDomain, options.Retry503, issuers);
        _model = _builder.Model;
        _debouncer = new Debouncer(options.QuietTime, options.MaxDelay, time, () => Apply());
        _reporter = new ConfigReporter(logger);
    }

    /// <summary>The mesh as clients are told.</summary>
    public MeshModel Model => _model;

    /// <summary>Takes over what is there and follows it from now on.</summary>
    /// <param name="server">The streams to push to.</param>
    public void Start(IAdsServer server)
    {
        if (!_server.TrySetResult(server))
        {
            return;
        }

        if (_startGrace > TimeSpan.Zero)
        {
            _isStarting = true;
            _startTimer = _time.CreateTimer(_ => EndStart(server), null, _startGrace, Timeout.InfiniteTimeSpan);
        }

        _registry.Changed += OnWorkloadChanged;
        _store.Changed += OnConfigChanged;
        if (_trustBundle is not null)
        {
            _trustBundle.Changed += OnRootsChanged;
        }

        if (_issuers is not null)
        {
            _issuers.Changed += OnIssuersChanged;
        }

        lock (_gate)
        {
            _pendingConfig ??= _store.Current;
            foreach (var (id, workload) in _registry.Current)
            {
                _pendingWorkloads.TryAdd(id, workload);
            }
        }

        Apply();
    }

    public IAdsNodeView Connect(AdsConnectionInfo connection, Node node)
    {
        // 1. Who it is, and whether it may be who it says.
        var caller = _gatekeeper?.Admit(connection, node);
        var metadata = new NodeMetadata(node, caller?.Accounts.Single);

        // 2. What it sees.
        var proxy = new Proxy(
            KindOf(node, metadata),
            metadata.Namespace,
            metadata.Labels,
            metadata.Locality,
            metadata.ClusterId,
            metadata.IsIpv6Only,
            metadata.IsSidecar,
            metadata.BindsToPort,
            isInProcess: node.UserAgentName == XdsNode.UserAgentName,
            mayReadKeys: _gatekeeper?.MayReadKeys(connection, caller) ?? ServiceRegistry.IsLocal(connection),
            workload: metadata.HasAddresses ? metadata.ToInstance(connection.RemoteEndPoint, []) : null,
            workloadName: metadata.WorkloadName,
            serviceCluster: node.Cluster,
            meshId: metadata.MeshId,
            annotation: _reporter.ReadAnnotation(node.Id, metadata));
        var selecting = _model.Config.Sidecars.Selecting(proxy.Namespace, proxy.Labels).ToArray();
        if (selecting.Length > 1)
        {
            _reporter.ReportContested(node.Id, selecting);
        }

        // 3. Whether it is called.
        var session = _registry.Connect(connection, node, metadata, caller);
        _gatekeeper?.Tell(connection, node, metadata, caller, session is not null);
        return new NodeView(this, node.Id, proxy, session, _logger, _gatekeeper?.ExpiryOf(caller), _startGrace, _time);
    }

    /// <param name="proxy">The node.</param>
    /// <param name="typeUrl">The kind.</param>
    /// <param name="wildcard">Whether all are asked for.</param>
    /// <param name="names">Those asked for.</param>
    /// <param name="isNew">Whether the node has connected just now: it may have come over from another control plane, and workloads be on the way.</param>
    public IReadOnlyCollection<AdsResource> GetResources(Proxy proxy, string typeUrl, bool wildcard, IReadOnlyCollection<string> names, bool isNew = false)
    {
        var resources = _cache.Get(_model, proxy, typeUrl, wildcard, names);
        if (typeUrl == TypeUrls.Secret && names.Contains(TrustBundle.Name) && _trustBundle?.Find() is { } roots)
        {
            resources = [.. resources, roots];
        }

        // Workloads that were there before the start may just not have come back: "none" is not known yet.
        return (_isStarting || isNew) && typeUrl == TypeUrls.ClusterLoadAssignment
            ? [.. resources.Select(r => HasEndpoints(r) || (!_isStarting && WasServed(r.Name)) ? r : r.AsTentative())]
            : resources;
    }

    /// <summary>Applies what is pending now and waits until every client has taken it over.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        var epoch = Apply();
        var server = await _server.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        await server.WhenAcknowledgedAsync(epoch, cancellationToken).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _store.Changed -= OnConfigChanged;
        _registry.Changed -= OnWorkloadChanged;
        if (_trustBundle is not null)
        {
            _trustBundle.Changed -= OnRootsChanged;
        }

        if (_issuers is not null)
        {
            _issuers.Changed -= OnIssuersChanged;
        }

        lock (_applying)
        {
            _disposed = true;
        }

        _startTimer?.Dispose();
        _debouncer.Dispose();
    }

    private static bool HasEndpoints(AdsResource resource)
        => ClusterLoadAssignment.Parser.ParseFrom(resource.Body.Value).Endpoints.Any(locality => locality.LbEndpoints.Count > 0);

    /// <summary>A node has been there for long enough: what is not known by now does not exist.</summary>
    public void Settle(NodeView settled)
    {
        if (_server.Task.IsCompletedSuccessfully)
        {
            _server.Task.Result.Push(AdsChange.Nothing with { EverythingFor = view => ReferenceEquals(view, settled) });
        }
    }

    /// <summary>Whether a service of which no endpoint is left had one here: then all are gone, and none is on the way.</summary>
    private bool WasServed(string name)
        => SubsetKey.TryParse(name, out var key)
            && _model.Config.ServicesOf(key.Host).Any(service => service.Selector is not { Count: > 0 } selector
                || _seen.Values.Any(seen => seen.Namespace == service.Namespace && seen.Matches(selector)));

    private void EndStart(IAdsServer server)
    {
        _isStarting = false;
        server.Push(new AdsChange(new Dictionary<string, IReadOnlySet<string>?> { [TypeUrls.ClusterLoadAssignment] = null }));
    }

    private static ProxyKind KindOf(Node node, NodeMetadata metadata)
        => string.Equals(metadata.Generator, "grpc", StringComparison.OrdinalIgnoreCase)
            || node.UserAgentName.StartsWith("grpc", StringComparison.OrdinalIgnoreCase)
            ? ProxyKind.Grpc
            : ProxyKind.Mesh;

    /// <summary>Nothing else shows that a workload's labels and the selectors pass each other by: it runs, and nobody calls it.</summary>
    private void TellOfUnselected(IEnumerable<WorkloadInstance?> workloads)
    {
        foreach (var workload in workloads)
        {
            if (workload is not null && !_model.Config.Services.Any(s => s.Namespace == workload.Namespace && s.Selector is { Count: > 0 } selector && workload.Matches(selector)))
            {
                _reporter.ReportUnselected(workload);
            }
        }
    }

    private void OnConfigChanged(ConfigSnapshot snapshot)
    {
        lock (_gate)
        {
            _pendingConfig = snapshot;
            _pendingSince ??= _time.GetTimestamp();
        }

        _debouncer.Announce();
    }

    // What the documents are stays, and what they come to does not.
    private void OnIssuersChanged()
    {
        lock (_gate)
        {
            _pendingConfig ??= _store.Current;
            _pendingIssuers = true;
            _pendingSince ??= _time.GetTimestamp();
        }

        _debouncer.Announce();
    }

    /// <summary>Roots are no documents: they go out by themselves.</summary>
    private void OnRootsChanged()
    {
        if (_server.Task.IsCompletedSuccessfully)
        {
            _server.Task.Result.Push(TrustBundle.Change);
        }
    }

    private void OnWorkloadChanged(string id, WorkloadInstance? workload)
    {
        if (workload is not null && _seen.Count < MaxSeen)
        {
            _seen.TryAdd($"{workload.Namespace}\0{string.Join('\0', workload.Labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}\0{l.Value}"))}", workload);
        }

        lock (_gate)
        {
            _pendingWorkloads[id] = workload;
            _pendingSince ??= _time.GetTimestamp();
        }

        _metrics?.Count(id, workload is null);

        _debouncer.Announce();
    }

    /// <summary>Applies what is pending now: whoever asks from here on is answered by it, and whoever has asked before is told.</summary>
    /// <returns>The number of the push that carries everything announced before this call.</returns>
    public long Apply()
    {
        lock (_applying)
        {
            ConfigSnapshot? config;
            Dictionary<string, WorkloadInstance?> workloads;
            long? since;
            bool issuers;
            lock (_gate)
            {
                (issuers, _pendingIssuers) = (_pendingIssuers, false);
                (since, _pendingSince) = (_pendingSince, null);
                config = _pendingConfig;
                _pendingConfig = null;
                workloads = _pendingWorkloads;
                if (workloads.Count > 0)
                {
                    _pendingWorkloads = new Dictionary<string, WorkloadInstance?>(StringComparer.Ordinal);
                }
            }

            if (_disposed || (config is null && workloads.Count == 0))
            {
                return _epoch;
            }

            if (config is not null && !issuers && ReferenceEquals(config, _applied))
            {
                // Only what is told about them is new.
                Report(config);
                config = null;
                if (workloads.Count == 0)
                {
                    return _epoch;
                }
            }

            _metrics?.Applying(config is not null, workloads.Count, since is { } first ? _time.GetElapsedTime(first) : null);
            var began = _time.GetTimestamp();
            var found = new ModelDiagnostics();
            var before = _model.Config;
            var change = _builder.Update(config, workloads, found);
            _model = _builder.Model;
            var (scopes, policies) = (ScopeChange.Between(before, _model.Config), PolicyChange.Between(before, _model.Config));
            if ((scopes ?? policies) is not null)
            {
                change = (change ?? AdsChange.Nothing) with { EverythingFor = view => scopes?.Invoke(view) == true || policies?.Invoke(view) == true };
            }

            _metrics?.Applied(_time.GetElapsedTime(began));
            if (change is not null && _server.Task.IsCompletedSuccessfully)
            {
                _epoch = _server.Task.Result.Push(change);
                _metrics?.Pushed(config is not null, workloads.Count > 0);
            }

            TellOfUnselected(workloads.Values);
            if (config is not null)
            {
                // Clients come first: analysis reads every document.
                _cache.Trim(_model.Config);
                _gatekeeper?.TellConfig(_applied, config);
                _metrics?.Count(_applied, config);
                _applied = config;
                ModelAnalyzer.Analyze(config, _model.Config, found);
                _store.Report("model", found.Found);
                Report(config);
            }

            return _epoch;
        }
    }

    private void Report(ConfigSnapshot config)
    {
        var diagnostics = _store.Diagnostics;
        _reporter.Report(config, diagnostics);
        _metrics?.Count(_told, diagnostics);
        _told = diagnostics;
    }
}
