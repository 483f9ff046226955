using Mesh.DataPlane.Dns;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.LoadReporting;
using Mesh.DataPlane.OriginalDst;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tcp;
using Mesh.DataPlane.Tls;
using Mesh.DataPlane.Transports;
using Mesh.Xds.Client;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Clusters;

/// <summary>Watches one cluster and its endpoints, and publishes what they come to. One endpoint changing rebuilds this cluster's set and nothing else.</summary>
internal sealed class ClusterSubscription(
    string name,
    IXdsClient client,
    IEndpointTransportFactory transports,
    DnsDiscovery dns,
    IRandomSource random,
    TimeProvider time,
    ResourceNotes notes,
    ILogger logger,
    Lock sync,
    Action answered) : IResourceWatcher<ClusterResource>, IDisposable
{
    private readonly Dictionary<(System.Net.EndPoint Address, TransportSettings Settings), EndpointState> _endpoints = [];
    private readonly Dictionary<string, HostGroupState> _groups = new(StringComparer.Ordinal);
    private IDisposable? _watch;
    private ClusterHealth? _health;
    private ClusterSecrets? _secrets;
    private EndpointsResource? _published;
    private ITimer? _reweighing;
    private ClusterResource? _resource;
    private EndpointsWatch? _endpointsWatch;
    private DnsEndpoints? _dnsEndpoints;
    private OriginalDestinations? _destinations;
    private string _version = "";
    private bool _disposed;

    public Cluster Cluster { get; init; } = new(name);

    /// <summary>What is known of the hosts' health, once there is anything to know.</summary>
    public ClusterHealth? Health => _health;

    public int References { get; set; }

    /// <summary>Where this process runs.</summary>
    public string? Locality { get; init; }

    /// <summary>Where its secrets are.</summary>
    public required SecretSources Secrets { get; init; }

    /// <summary>Where the cluster's load is; <see langword="null"/> when nobody may ask for it.</summary>
    public LoadStore? Loads { get; init; }

    public void Start() => _watch = client.Watch(ClusterType.Instance, name, this);

    public void OnChanged(string resourceName, ClusterResource resource, string version)
    {
        lock (sync)
        {
            if (_disposed)
            {
                return;
            }

            _resource = resource;
            _version = version;
            Cluster.Load.Use(resource.EdsServiceName, resource.Policy.LoadReporting);
            (_secrets ??= new ClusterSecrets(Secrets, sync, OnSecretsAnswered, OnSecretsChanged)).Use(resource.Policy.Tls);
            notes.Report(ClusterType.Instance, name, resource);
            if (resource.Policy.OriginalDestination is { } original)
            {
                FollowDestinations(original, resource.Policy.Transport.ConnectTimeout);
            }
            else if (resource.Dns is { } settings)
            {
                FollowNames(settings, resource.InlineEndpoints!);
            }
            else if (resource.EdsServiceName is not { } service)
            {
                StopEndpoints();
                Publish(resource.InlineEndpoints!);
            }
            else if (_endpointsWatch?.Service == service)
            {
                if (_endpointsWatch.Latest is { } endpoints)
                {
                    Publish(endpoints);
                }
            }
            else
            {
                // The endpoints of the old service serve until the new one's are known.
                StopEndpoints();
                _published = null;
                _endpointsWatch = new EndpointsWatch(this, service);
                _endpointsWatch.Start();
            }
        }
    }

    public void OnResourceError(string resourceName, ResourceError error)
    {
        lock (sync)
        {
            if (_disposed || (error.Kind == ResourceErrorKind.Unavailable && _resource is null))
            {
                return; // Not an answer: the server has not said anything about the cluster.
            }

            _resource = null;
            _published = null;
            StopEndpoints();
            _health?.Dispose();
            _health = null;
            Swap(new ClusterState(ClusterStatus.Missing, null, EndpointSet.Empty, "", error.Message), []);
        }
    }

    public void OnAmbientError(string resourceName, ResourceError error)
    {
    }

    public void Dispose()
    {
        _disposed = true;
        _watch?.Dispose();
        _secrets?.Dispose();
        _reweighing?.Dispose();
        _health?.Dispose();
        StopEndpoints();
        RetireAll();
    }

    private void RetireAll()
    {
        foreach (var endpoint in _endpoints.Values)
        {
            endpoint.Retire();
        }

        _endpoints.Clear();
    }

    private void FollowNames(DnsClusterSettings settings, EndpointsResource template)
    {
        if (_dnsEndpoints?.Settings == settings)
        {
            if (_dnsEndpoints.Latest is { } endpoints)
            {
                Publish(endpoints);
            }

            return;
        }

        // The endpoints of before serve until the names have been answered for.
        var previous = _dnsEndpoints;
        StopEndpoints();
        _published = null;
        _dnsEndpoints = dns.Create(name, settings, template, sync, OnNamesResolved);
        _dnsEndpoints.Start(previous, isServing: Cluster.Current.Status == ClusterStatus.Ready);
    }

    private void FollowDestinations(OriginalDestinationSettings settings, TimeSpan resolveTimeout)
    {
        if (_destinations is null)
        {
            StopEndpoints();
            _destinations = new OriginalDestinations(name, dns, sync, PublishDestinations);
        }

        _destinations.Use(settings, resolveTimeout);
        PublishDestinations();
    }

    private void PublishDestinations() => Publish(_destinations!.Located);

    private void OnNamesResolved(DnsEndpoints resolved)
    {
        if (ReferenceEquals(resolved.Latest, _published))
        {
            Cluster.Publish(Cluster.Current with { Error = resolved.Error });
        }
        else
        {
            Publish(resolved.Latest!);
        }
    }

    private void StopEndpoints()
    {
        _endpointsWatch?.Stop();
        _endpointsWatch = null;
        _dnsEndpoints?.Dispose();
        _dnsEndpoints = null;
        _destinations?.Dispose();
        _destinations = null;
    }

    private void Publish(EndpointsResource endpoints)
    {
        var resource = _resource!;
        _published = endpoints;
        if (!_secrets!.AreAnswered)
        {
            return; // What was there before serves until it is known how the new is spoken to.
        }

        _health ??= new ClusterHealth(name, transports, time, random, new HostEvents(logger, name), OnHealthChanged);
        endpoints = _health.Update(resource.Policy, endpoints);
        if (!_health.IsWarm && Cluster.Current.Status != ClusterStatus.Ready)
        {
            return; // As in Envoy a cluster is not there before each of its hosts has been checked once.
        }

        if (resource.Policy.CloseConnectionsOnHostSetChange && IsOtherSet(endpoints))
        {
            RetireAll();
        }

        var used = new HashSet<(System.Net.EndPoint, TransportSettings)>();
        var set = new EndpointSetBuilder(resource.Policy, endpoints, StateOf, GroupState, Locality, Cluster.Load, Cluster.Stats).Build();
        Cluster.Load.Keep(set, Loads?.IsReported == true);
        _destinations?.Publish(set);
        Swap(new ClusterState(ClusterStatus.Ready, resource.Policy, set, _version, _dnsEndpoints?.Error) { Destinations = _destinations }, used);

        EndpointState StateOf(EndpointResource endpoint)
        {
            var key = (endpoint.Address, Transport: resource.Policy.TransportTo(endpoint));
            used.Add(key);
            if (_endpoints.TryGetValue(key, out var state) && resource.Policy.CloseConnectionsOnHealthFailure && state.HasFailed)
            {
                _endpoints.Remove(key);
                state.Retire();
                state.CloseConnections(TcpCloseReason.HostFailed);
                state = null;
            }

            if (state is null)
            {
                state = new EndpointState(() => transports.Create(Cluster, endpoint, key.Transport), _health.Of(endpoint))
                {
                    IsMesh = key.Transport.Tls is { IsMesh: true, AsksForWorkload: true },
                };
                _endpoints.Add(key, state);
            }

            // As in Envoy, a host that passes its checks again warms up again, one that comes back from its ejection does not.
            var health = HostHealth.Combine(endpoint.Health, state.Health.Flags & ~HealthFlags.FailedOutlierCheck);
            state.Observe(health == EndpointHealth.Healthy, time.GetTimestamp());
            return state;
        }
    }

    private bool IsOtherSet(EndpointsResource endpoints)
        => _endpoints.Count > 0 && !_endpoints.Keys.Select(k => k.Address).ToHashSet().SetEquals(endpoints.Localities.SelectMany(l => l.Endpoints).Select(e => e.Address));

    /// <summary>Retires connections that would not be made any more: by the authorities of now their peers, or this workload itself, are somebody else.</summary>
    private void OnSecretsChanged()
    {
        KeyValuePair<(System.Net.EndPoint, TransportSettings), EndpointState>[] secured;
        lock (sync)
        {
            secured = [.. _endpoints.Where(e => e.Key.Settings.Tls is not null)];
        }

        // Certificates are verified outside of the lock.
        var refused = secured.Where(e => !e.Value.IsTrusted()).ToList();
        if (refused.Count == 0)
        {
            return;
        }

        lock (sync)
        {
            foreach (var (key, state) in refused)
            {
                if (_endpoints.TryGetValue(key, out var current) && ReferenceEquals(current, state))
                {
                    _endpoints.Remove(key);
                }
            }

            if (!_disposed && _resource is not null && _published is { } endpoints)
            {
                Publish(endpoints);
            }
        }

        // After the swap: whoever still picks from the old set finds them retired and picks again.
        foreach (var (_, state) in refused)
        {
            state.Retire();
            state.CloseConnections(TcpCloseReason.NotTrusted);
        }
    }

    private void OnSecretsAnswered()
    {
        if (!_disposed && _resource is not null && _published is { } endpoints)
        {
            Publish(endpoints);
        }
    }

    // One host's health touches this cluster's set and nothing else.
    private void OnHealthChanged()
    {
        lock (sync)
        {
            if (!_disposed && _resource is not null && _published is { } endpoints)
            {
                Publish(endpoints);
            }
        }
    }

    // Weights that depend on time or load reports change here, not while requests pick: one timer for a cluster that has any.
    private void Reweigh()
    {
        lock (sync)
        {
            if (_disposed)
            {
                return;
            }

            if (Cluster.Current.Endpoints.Reweigh(time.GetTimestamp()) is not { } wait)
            {
                _reweighing?.Dispose();
                _reweighing = null;
            }
            else if (_reweighing is null)
            {
                _reweighing = time.CreateTimer(static s => ((ClusterSubscription)s!).Reweigh(), this, wait, Timeout.InfiniteTimeSpan);
            }
            else
            {
                _reweighing.Change(wait, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private HostGroupState GroupState(string key)
    {
        if (!_groups.TryGetValue(key, out var state))
        {
            // A random start keeps a fleet of equal clients from marching in step.
            state = new HostGroupState((uint)random.NextUInt64(), time);
            _groups.Add(key, state);
        }

        return state;
    }

    private void Swap(ClusterState state, HashSet<(System.Net.EndPoint, TransportSettings)> used)
    {
        var wasPending = Cluster.Current.Status == ClusterStatus.Pending;
        Cluster.Publish(state);
        Reweigh();

        // After the swap: whoever still picks from the old set finds the endpoint retired and picks again.
        foreach (var (key, endpoint) in _endpoints)
        {
            if (!used.Contains(key))
            {
                _endpoints.Remove(key);
                endpoint.Retire();
            }
        }

        if (wasPending)
        {
            answered();
        }
    }

    private sealed class EndpointsWatch(ClusterSubscription owner, string service) : IResourceWatcher<EndpointsResource>
    {
        private IDisposable? _watch;
        private bool _stopped;

        public string Service { get; } = service;

        public EndpointsResource? Latest { get; private set; }

        public void Start() => _watch = owner.Watch(Service, this);

        public void Stop()
        {
            _stopped = true;
            _watch?.Dispose();
        }

        public void OnChanged(string resourceName, EndpointsResource resource, string version) => Set(resource);

        public void OnResourceError(string resourceName, ResourceError error)
        {
            // "There are none" is an answer; "the server is away" is not.
            if (error.Kind != ResourceErrorKind.Unavailable)
            {
                Set(EndpointsResource.Empty(Service));
            }
        }

        public void OnAmbientError(string resourceName, ResourceError error)
        {
        }

        private void Set(EndpointsResource resource)
        {
            lock (owner.Sync)
            {
                if (!_stopped && !owner._disposed)
                {
                    Latest = resource;
                    owner.Report(Service, resource);
                    owner.Publish(resource);
                }
            }
        }
    }

    private Lock Sync => sync;

    private void Report(string service, EndpointsResource resource) => notes.Report(EndpointsType.Instance, service, resource);

    private IDisposable Watch(string service, EndpointsWatch watcher) => client.Watch(EndpointsType.Instance, service, watcher);
}
