using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Routing;

/// <summary>
/// One route configuration, by name or inline, and the table that is in force. A new table goes into force when every cluster that it names
/// has been answered, at the latest after the fetch timeout: make before break, and a cluster that fails takes only its own routes along.
/// </summary>
internal sealed class RouteSubscription(
    string? name,
    IXdsClient client,
    RouteConfigurationType type,
    ClusterRegistry clusters,
    ResourceNotes notes,
    TimeProvider time,
    TimeSpan fetchTimeout,
    Lock sync,
    Action<RouteSubscription> changed) : IResourceWatcher<RouteConfigurationResource>, IDisposable
{
    private IDisposable? _watch;
    private RouteTable? _next;
    private ITimer? _holdTimer;
    private bool _disposed;

    /// <summary>The resource's name; <see langword="null"/> for the inline routes of one listener.</summary>
    public string? Name { get; } = name;

    public int References { get; set; }

    /// <summary>The table in force; <see langword="null"/> until there is one.</summary>
    public RouteTable? Current { get; private set; }

    /// <summary>Why there is no table, once the control plane has been asked.</summary>
    public ResourceError? Error { get; private set; }

    /// <summary>A newer table waits for its clusters.</summary>
    public bool IsHeldBack => _next is not null;

    public void Start()
    {
        if (Name is not null)
        {
            _watch = client.Watch(type, Name, this);
        }
    }

    public void OnChanged(string resourceName, RouteConfigurationResource resource, string version) => Set(resource, version);

    /// <summary>Compiles a new table and puts it into force as soon as may be.</summary>
    public void Set(RouteConfigurationResource resource, string version)
    {
        lock (sync)
        {
            if (_disposed)
            {
                return;
            }

            Error = null;
            notes.Report(type, resource.Name, resource);

            // Compiling asks for clusters; an answer that is already there may put the waiting table into force meanwhile.
            var next = new RouteTableCompiler(clusters).Compile(resource, version);
            var superseded = _next;
            _next = next;
            Release(superseded);

            // The timer of an older, still waiting table goes on: ever newer tables must not postpone for ever.
            _holdTimer ??= time.CreateTimer(_ => PublishAnyway(), null, fetchTimeout, Timeout.InfiniteTimeSpan);
            PublishWhenAnswered();
        }
    }

    public void OnResourceError(string resourceName, ResourceError error)
    {
        lock (sync)
        {
            if (_disposed)
            {
                return;
            }

            Error = error;
            if (error.Kind != ResourceErrorKind.Unavailable)
            {
                var (old, next) = (Current, _next);
                (Current, _next) = (null, null);
                StopHolding();
                changed(this);
                Release(old);
                Release(next);
            }
            else if (Current is null)
            {
                changed(this);
            }
        }
    }

    public void OnAmbientError(string resourceName, ResourceError error)
    {
    }

    /// <summary>Some cluster has been answered; with the lock held.</summary>
    public void PublishWhenAnswered()
    {
        if (_next is { } next && next.Clusters.All(clusters.IsAnswered))
        {
            Publish(next);
        }
    }

    public void Dispose()
    {
        _disposed = true;
        _watch?.Dispose();
        StopHolding();
        Release(_next);
        Release(Current);
        (Current, _next) = (null, null);
    }

    private void PublishAnyway()
    {
        lock (sync)
        {
            if (!_disposed && _next is { } next)
            {
                Publish(next);
            }
        }
    }

    private void Publish(RouteTable next)
    {
        var old = Current;
        Current = next;
        _next = null;
        StopHolding();
        changed(this);

        // Clusters that only the old table named are released after nobody can reach them through it any more.
        Release(old);
    }

    private void StopHolding()
    {
        _holdTimer?.Dispose();
        _holdTimer = null;
    }

    private void Release(RouteTable? table)
    {
        foreach (var cluster in table?.Clusters ?? [])
        {
            clusters.Release(cluster);
        }
    }
}
