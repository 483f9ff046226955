using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.Tcp;

/// <summary>
/// One listener for connections, and the table that is in force. As with routes a new table goes into force when every cluster that it names has been
/// answered, at the latest after the fetch timeout; chains that an update leaves as they are keep their connections, those of the others drain.
/// </summary>
internal sealed class TcpSubscription(
    ClusterRegistry clusters,
    TimeProvider time,
    TimeSpan fetchTimeout,
    TimeSpan drainDuration,
    Lock sync,
    Action<TcpTable> changed,
    Action holding) : IDisposable
{
    private TcpTable? _next;
    private ITimer? _holdTimer;
    private bool _listens;
    private bool _disposed;

    /// <summary>The table in force; <see langword="null"/> until there is one.</summary>
    public TcpTable? Current { get; private set; }

    /// <summary>A newer table waits for its clusters.</summary>
    public bool IsHeldBack => _next is not null;

    /// <summary>Compiles a new table and puts it into force as soon as may be; with the lock held.</summary>
    public void Set(TcpListenerResource listener, string version)
    {
        if (!_listens)
        {
            _listens = true;
            clusters.Answered += PublishWhenAnswered;
        }

        var chains = listener.Chains.Select(Compile).ToArray();
        var forTheRest = listener.Default is { } rest ? Compile(rest) : null;
        var superseded = _next;
        _next = new TcpTable(listener, chains, forTheRest, version);
        Release(superseded);

        // The timer of an older, still waiting table goes on: ever newer tables must not postpone for ever.
        _holdTimer ??= time.CreateTimer(static s => ((TcpSubscription)s!).PublishAnyway(), this, fetchTimeout, Timeout.InfiniteTimeSpan);
        PublishWhenAnswered();
        holding();
    }

    /// <summary>The listener is gone: its connections drain. With the lock held.</summary>
    public void Clear()
    {
        var (old, next) = (Current, _next);
        (Current, _next) = (null, null);
        StopHolding();
        Drain(old, keep: null);
        Release(old);
        Release(next);
        holding();
    }

    /// <summary>Nobody follows the listener any more: its connections go on. With the lock held.</summary>
    public void Dispose()
    {
        _disposed = true;
        clusters.Answered -= PublishWhenAnswered;
        StopHolding();
        Release(_next);
        Release(Current);
        (Current, _next) = (null, null);
        holding();
    }

    // The same message is the same chain, as in Envoy.
    private TcpChain Compile(TcpListenerResource.Chain resource)
    {
        var acquired = resource.Proxy.Clusters.Select(c => clusters.Acquire(c.Cluster)).ToArray();
        return Current?.All.FirstOrDefault(chain => chain.Resource.Source.Equals(resource.Source)) ?? new TcpChain(resource, acquired, time);
    }

    private void PublishWhenAnswered()
    {
        if (_next is { } next && next.Clusters.All(clusters.IsAnswered))
        {
            Publish(next);
        }
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

    private void Publish(TcpTable next)
    {
        var old = Current;
        Current = next;
        _next = null;
        StopHolding();
        changed(next);
        Drain(old, next);

        // Clusters that only the old table named are released after nobody can reach them through it any more.
        Release(old);
        holding();
    }

    private void Drain(TcpTable? old, TcpTable? keep)
    {
        foreach (var chain in old?.All ?? [])
        {
            if (keep?.All.Contains(chain) != true)
            {
                chain.Connections.Drain(drainDuration);
            }
        }
    }

    private void StopHolding()
    {
        _holdTimer?.Dispose();
        _holdTimer = null;
    }

    private void Release(TcpTable? table)
    {
        foreach (var cluster in table?.Clusters ?? [])
        {
            clusters.Release(cluster);
        }
    }
}
