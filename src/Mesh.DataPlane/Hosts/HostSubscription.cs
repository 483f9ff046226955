using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Tcp;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Hosts;

/// <summary>Watches the listener of one host, which is named after it unless told otherwise, and follows it to its routes.</summary>
internal sealed class HostSubscription(
    HostEntry entry, IXdsClient client, RouteRegistry routes, TcpTables connections, HttpFilters filters, ResourceNotes notes, Lock sync, string? listener = null)
    : IResourceWatcher<ListenerResource>, IDisposable
{
    private FilterDependencies? _dependencies;
    private IDisposable? _watch;
    private RouteSubscription? _current;
    private RouteSubscription? _next;
    private TcpSubscription? _tcp;
    private string _version = "";
    private ListenerFilter[] _filters = [];
    private ListenerFilter[] _filtersInForce = [];
    private ListenerSettings _settings = ListenerSettings.Default;
    private ListenerSettings _settingsInForce = ListenerSettings.Default;
    private bool _hasFilters;
    private bool _disposed;

    public HostEntry Entry { get; } = entry;

    public void Start() => _watch = client.Watch(filters.Listeners, listener ?? Entry.Key.ToString(), this);

    public void OnChanged(string name, ListenerResource resource, string version)
    {
        lock (sync)
        {
            if (_disposed)
            {
                return;
            }

            _version = version;
            (_dependencies ??= new FilterDependencies(filters.Services, OnFiltersReady)).Use(resource.Filters);
            _filters = resource.Filters;
            _settings = resource.Settings;
            notes.Report(filters.Listeners, name, resource);
            if (Entry.Key.IsTcp)
            {
                FollowConnections(name, resource.Tcp);
            }
            else if (resource.InlineRoutes is { } inline)
            {
                if (_current is { Name: null } && _dependencies.AreReady)
                {
                    Abandon(ref _next);
                    _current.Set(inline, version);
                }
                else
                {
                    Follow(routes.AcquireInline(OnRoutesChanged));
                    (_next ?? _current)!.Set(inline, version);
                }
            }
            else if (resource.RouteConfigurationName is null)
            {
                // A server that answers the name of a host with a listener for connections has nothing to route a request by.
                Entry.Publish(new HostState(HostStatus.Failed, null, null, version, $"the listener {name} is for connections that are not HTTP"));
                Drop();
            }
            else if ((_next ?? _current)?.Name != resource.RouteConfigurationName)
            {
                Follow(routes.Acquire(resource.RouteConfigurationName!, OnRoutesChanged));
            }
            else
            {
                Publish();
            }
        }
    }

    public void OnResourceError(string name, ResourceError error)
    {
        lock (sync)
        {
            if (_disposed)
            {
                return;
            }

            switch (error.Kind)
            {
                case ResourceErrorKind.DoesNotExist:
                    Entry.Publish(new HostState(HostStatus.Unknown, null, null, "", error.Message));
                    Drop();
                    break;
                case ResourceErrorKind.Invalid:
                    Entry.Publish(new HostState(HostStatus.Failed, null, null, "", error.Message));
                    Drop();
                    break;
                default:
                    // The control plane is away: nothing is known, whoever asks waits or gives up by its own deadline.
                    Entry.SetUnreachable();
                    break;
            }
        }
    }

    public void OnAmbientError(string name, ResourceError error)
    {
    }

    public void Dispose()
    {
        _disposed = true;
        _watch?.Dispose();
        _tcp?.Dispose();
        _tcp = null;
        Drop();
        _dependencies?.Dispose();
    }

    private void OnFiltersReady()
    {
        if (!_disposed)
        {
            OnRoutesChanged(_next ?? _current);
        }
    }

    private void FollowConnections(string name, TcpListenerResource? listener)
    {
        if (listener is null)
        {
            Entry.Publish(new HostState(HostStatus.Failed, null, null, _version, $"the listener {name} is for requests, not for connections"));
            Drop();
            return;
        }

        _tcp ??= connections.Follow(table => Entry.Publish(new HostState(HostStatus.Meshed, null, null, table.Version, null) { Tcp = table }));
        _tcp.Set(listener, _version);
    }

    private void Follow(RouteSubscription subscription)
    {
        Abandon(ref _next);
        _next = subscription;
        OnRoutesChanged(subscription);
    }

    private void OnRoutesChanged(RouteSubscription? changed)
    {
        if (_disposed)
        {
            return;
        }

        // New routes wait for the filters that came with them.
        if (changed is not null && changed == _next && _dependencies!.AreReady && (changed.Current is not null || changed.Error is not null || _current is null))
        {
            var old = _current;
            _current = _next;
            _next = null;
            if (old is not null)
            {
                routes.Release(old, OnRoutesChanged);
            }
        }

        Publish();
    }

    private void Publish()
    {
        if (_current is null)
        {
            return;
        }

        // Filters and the routes that came with them go into force together.
        if (_next is null && _dependencies!.AreReady)
        {
            _filtersInForce = _filters;
            _settingsInForce = _settings;
            _hasFilters = true;
            _dependencies.Settle();
        }

        if (!_hasFilters)
        {
            return;
        }

        if (_current.Current is { } table)
        {
            Entry.Publish(new HostState(HostStatus.Meshed, table, table.VirtualHosts.Find(Entry.Authority), _version, null)
            {
                Settings = _settingsInForce,
                Signals = filters.Services.Telemetry.SignalsOf(_settingsInForce.Signals, Telemetry.Reporter.Source),
                Filters = _filtersInForce.Length == 0 ? null : new FilterChains(_filtersInForce, filters.Services, _settingsInForce.Signals.StatPrefix),
            });
        }
        else if (_current.Error is { Kind: not ResourceErrorKind.Unavailable } error)
        {
            Entry.Publish(new HostState(HostStatus.Failed, null, null, _version, error.Message));
        }
    }

    private void Drop()
    {
        _tcp?.Clear();
        Abandon(ref _current);
        Abandon(ref _next);
        _dependencies?.Use([]);
        _dependencies?.Settle();
        (_filters, _filtersInForce, _hasFilters) = ([], [], false);
    }

    private void Abandon(ref RouteSubscription? subscription)
    {
        if (subscription is not null)
        {
            routes.Release(subscription, OnRoutesChanged);
            subscription = null;
        }
    }
}
