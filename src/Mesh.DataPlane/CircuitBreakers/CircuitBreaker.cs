using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.CircuitBreakers;

/// <summary>
/// The gate in front of one priority of a cluster. A permit is a request on its way and, for HTTP/1.1, the connection it holds. As in Envoy too
/// many requests overflow at once, too many connections make requests wait up to a limit, and a host without any connection may always have one.
/// Entering and leaving take no lock unless requests wait.
/// </summary>
internal sealed class CircuitBreaker(RoutingPriority priority, ClusterStats stats)
{
    private readonly Lock _sync = new();
    private readonly PendingQueue _pending = new();
    private Thresholds _limits = Thresholds.Default;
    private PermitCount _permits;
    private int _waiting;
    private int _retries;

    /// <summary>The limits; another value counts from the next decision on, and lets those in who wait for less than there is now.</summary>
    public Thresholds Limits
    {
        get => Volatile.Read(ref _limits);
        set
        {
            if (Limits != value)
            {
                Volatile.Write(ref _limits, value);
                Interlocked.MemoryBarrier();
                Wake(null);
            }
        }
    }

    /// <summary>Requests on their way (<c>upstream_rq_active</c> of the priority).</summary>
    public uint ActiveRequests => _permits.Current.Requests;

    /// <summary>Connections that HTTP/1.1 requests hold.</summary>
    public uint ActiveConnections => _permits.Current.Connections;

    /// <summary>Requests that wait for a connection (<c>upstream_rq_pending_active</c>).</summary>
    public int PendingRequests => Volatile.Read(ref _waiting);

    public int ActiveRetries => Volatile.Read(ref _retries);

    /// <summary>How much of each limit is left, when the cluster wants that tracked.</summary>
    public RemainingPermits? Remaining
    {
        get
        {
            var limits = Limits;
            if (!limits.TrackRemaining)
            {
                return null;
            }

            var permits = _permits.Current;
            return new RemainingPermits(
                Left(limits.MaxConnections, permits.Connections),
                Left(limits.MaxPendingRequests, PendingRequests),
                Left(limits.MaxRequests, permits.Requests),
                limits.RetryBudget is null ? Left(limits.MaxRetries, ActiveRetries) : 0);

            static long Left(uint limit, long used) => Math.Max(0, limit - used);
        }
    }

    /// <summary>Takes a permit if there is one.</summary>
    /// <param name="host">The host that was picked.</param>
    /// <param name="multiplexed">The request shares its connection with others (HTTP/2).</param>
    /// <param name="overflow">The reply when there are too many requests; otherwise, when there is no permit, wait by <see cref="EnterAsync"/>.</param>
    public bool TryEnter(EndpointState host, bool multiplexed, out LocalReply? overflow)
    {
        // Those who wait come first, unless they wait for other hosts: the queue knows.
        if (!multiplexed && Volatile.Read(ref _waiting) != 0)
        {
            overflow = null;
            return false;
        }

        if (TryTake(host, multiplexed, out overflow))
        {
            return true;
        }

        // While the attempt was counted it may have looked like a connection to somebody who therefore began to wait.
        if (Volatile.Read(ref _waiting) != 0)
        {
            Wake(host);
        }

        return false;
    }

    /// <summary>Waits for a permit of an HTTP/1.1 request, behind those who wait already.</summary>
    /// <returns><see langword="null"/> with a permit, else the reply.</returns>
    /// <exception cref="OperationCanceledException">There is no permit to give back then.</exception>
    public ValueTask<LocalReply?> EnterAsync(EndpointState host, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        PendingRequest request;
        lock (_sync)
        {
            var first = _pending.Count == 0 || (_pending.FirstOf(host) is null && HostPermits.Of(ref host.Permits, priority).Current.Connections == 0);
            LocalReply? overflow = null;
            if (first && TryTake(host, multiplexed: false, out overflow))
            {
                return default;
            }

            if (overflow is not null)
            {
                return new ValueTask<LocalReply?>(overflow);
            }

            stats.ConnectionOverflow.Increment();
            if ((uint)_pending.Count >= Limits.MaxPendingRequests)
            {
                stats.PendingOverflow.Increment();
                return new ValueTask<LocalReply?>(LocalReply.Overflow);
            }

            request = new PendingRequest(host);
            _pending.Add(request);
            Interlocked.Increment(ref _waiting);
            stats.PendingTotal.Increment();

            // Whoever left before the count above was seen has woken nobody.
            Admit(host);
        }

        return request.Task.IsCompleted ? new ValueTask<LocalReply?>(request.Task) : WaitAsync(request, cancellationToken);
    }

    /// <summary>Gives a permit back, exactly once.</summary>
    public void Exit(EndpointState host, bool multiplexed)
    {
        HostPermits.Of(ref host.Permits, priority).Remove(multiplexed);
        _permits.Remove(multiplexed);
        if (Volatile.Read(ref _waiting) != 0)
        {
            Wake(host);
        }
    }

    /// <summary>
    /// Takes a permit for a connection that carries no requests. As in Envoy's <c>tcp_proxy</c> the limit of connections is one here: nobody waits,
    /// and no host may have one beyond it.
    /// </summary>
    public bool TryConnect(EndpointState host)
    {
        var limits = Limits;
        ref var ofHost = ref HostPermits.Of(ref host.Permits, priority);
        var hostNow = ofHost.AddConnection();
        while (true)
        {
            var seen = _permits.Current;
            if (seen.Connections >= limits.MaxConnections || hostNow.Connections > limits.MaxConnectionsPerHost)
            {
                ofHost.RemoveConnection();
                stats.ConnectionOverflow.Increment();
                if (Volatile.Read(ref _waiting) != 0)
                {
                    Wake(host);
                }

                return false;
            }

            if (_permits.TryAddConnection(seen))
            {
                return true;
            }
        }
    }

    /// <summary>Gives the permit of a connection back, exactly once.</summary>
    public void Disconnect(EndpointState host)
    {
        HostPermits.Of(ref host.Permits, priority).RemoveConnection();
        _permits.RemoveConnection();
        if (Volatile.Read(ref _waiting) != 0)
        {
            Wake(host);
        }
    }

    /// <summary>
    /// Takes part in the retries that are allowed at a time: from the decision to retry, so back-off included, until it is known whether that
    /// attempt is retried in turn.
    /// </summary>
    public bool TryBeginRetry()
    {
        var retries = Volatile.Read(ref _retries);
        while (retries < AllowedRetries())
        {
            var seen = Interlocked.CompareExchange(ref _retries, retries + 1, retries);
            if (seen == retries)
            {
                return true;
            }

            retries = seen;
        }

        stats.RetryOverflow.Increment();
        return false;
    }

    public void EndRetry() => Interlocked.Decrement(ref _retries);

    private long AllowedRetries()
    {
        var limits = Limits;
        return limits.RetryBudget is { } budget ? budget.Allowed(ActiveRequests + (long)PendingRequests) : limits.MaxRetries;
    }

    private bool TryTake(EndpointState host, bool multiplexed, out LocalReply? overflow)
    {
        var limits = Limits;
        ref var ofHost = ref HostPermits.Of(ref host.Permits, priority);
        var hostNow = ofHost.Add(multiplexed);
        while (true)
        {
            var seen = _permits.Current;

            // Envoy's order: who gets no connection waits, and only who gets one can be one request too many.
            if (!multiplexed && hostNow.Connections > 1 && (seen.Connections >= limits.MaxConnections || hostNow.Connections > limits.MaxConnectionsPerHost))
            {
                ofHost.Remove(multiplexed);
                overflow = null;
                return false;
            }

            if (seen.Requests >= limits.MaxRequests || hostNow.Requests > limits.MaxRequestsPerHost)
            {
                ofHost.Remove(multiplexed);
                stats.PendingOverflow.Increment();
                overflow = LocalReply.Overflow;
                return false;
            }

            if (_permits.TryAdd(seen, multiplexed))
            {
                overflow = null;
                return true;
            }
        }
    }

    private void Wake(EndpointState? host)
    {
        lock (_sync)
        {
            Admit(host);
        }
    }

    // With the lock held. A connection that comes free belongs to its host's pool, so who waits longest for that host is first.
    private void Admit(EndpointState? host)
    {
        while (host is not null && _pending.FirstOf(host) is { } ofHost)
        {
            // One that overflows leaves the connection to the next.
            TryAdmit(ofHost, out var overflow);
            if (overflow is null)
            {
                break;
            }
        }

        var node = _pending.First;
        while (node is not null && (host is null || _permits.Current.Connections < Limits.MaxConnections))
        {
            var next = node.Next;
            TryAdmit(node.Value, out _);
            node = next;
        }
    }

    private void TryAdmit(PendingRequest request, out LocalReply? overflow)
    {
        if (TryTake(request.Host, multiplexed: false, out overflow) || overflow is not null)
        {
            Remove(request);
            request.SetResult(overflow);
        }
    }

    private bool Remove(PendingRequest request)
    {
        if (!_pending.Remove(request))
        {
            return false;
        }

        Interlocked.Decrement(ref _waiting);
        return true;
    }

    private async ValueTask<LocalReply?> WaitAsync(PendingRequest request, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                var (breaker, request) = ((CircuitBreaker, PendingRequest))state!;
                breaker.Cancel(request, token);
            },
            (this, request)).ConfigureAwait(false);
        return await request.Task.ConfigureAwait(false);
    }

    // Who holds a permit already keeps it, and finds out by the token soon enough.
    private void Cancel(PendingRequest request, CancellationToken cancellationToken)
    {
        lock (_sync)
        {
            if (!Remove(request))
            {
                return;
            }
        }

        request.SetCanceled(cancellationToken);
    }
}
