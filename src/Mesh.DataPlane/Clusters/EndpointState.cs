using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.LoadBalancing.Orca;
using Mesh.DataPlane.OutlierDetection;
using Mesh.DataPlane.Tcp;
using Mesh.DataPlane.Telemetry.Peers;
using Mesh.DataPlane.Transports;

namespace Mesh.DataPlane.Clusters;

/// <summary>
/// What lives as long as an address is an endpoint of a cluster: the number of active requests and the connection pool. Retiring it refuses
/// new requests at once and closes the pool when the last response has ended.
/// </summary>
internal sealed class EndpointState(Func<IEndpointTransport> createTransport, HostHealth? health = null)
{
    private const int Retired = int.MinValue;

    /// <summary>What the circuit breakers of the cluster have let through to this host.</summary>
    public HostPermits Permits;

    private readonly Lock _create = new();
    private readonly int _failures = health?.Failures ?? 0;
    private IEndpointTransport? _transport;
    private HashSet<TcpConnection>? _connections;
    private ReportedWeight? _reportedWeight;
    private int _active;
    private int _closed;

    /// <summary>Its connections are those of one workload to another: each end shows its identity, by the authorities of the mesh.</summary>
    public bool IsMesh { get; init; }

    /// <summary>What has been found out about the host; it outlives this state.</summary>
    public HostHealth Health { get; } = health ?? new HostHealth();

    /// <summary>Whether the host has turned unhealthy since these connections are used for it.</summary>
    public bool HasFailed => Health.Failures != _failures;

    /// <summary>Whom to tell how each attempt ended; <see langword="null"/> when nobody wants to know.</summary>
    public HostMonitor? Monitor => Health.Monitor;

    /// <summary>Requests whose response has not ended yet.</summary>
    public int ActiveRequests => Volatile.Read(ref _active) & int.MaxValue;

    /// <summary>Whether a connection is open, busy or idle.</summary>
    public bool HasConnections => Volatile.Read(ref _transport)?.HasConnections == true;

    /// <summary>Open connections, busy or idle.</summary>
    public int ActiveConnections => Volatile.Read(ref _transport)?.ActiveConnections ?? 0;

    /// <summary>Who both ends of its secure connections are; <see langword="null"/> where none is secure.</summary>
    public Principals? Principals => Volatile.Read(ref _transport)?.Principals;

    /// <summary>Whether every secure connection that is open would still be made, as secrets are now.</summary>
    public bool IsTrusted() => Volatile.Read(ref _transport)?.IsTrusted() ?? true;

    /// <summary>A timestamp of when the endpoint became healthy, be it by being there for the first time; <see langword="null"/> while it is not.</summary>
    public long? HealthySince { get; private set; }

    /// <summary>What the endpoint reports of its load, where the cluster goes by that.</summary>
    public ReportedWeight? ReportedWeight
    {
        get => Volatile.Read(ref _reportedWeight);
        set => Volatile.Write(ref _reportedWeight, value);
    }

    /// <summary>The pool; made when the first request needs it. Only between a successful <see cref="TryAcquire"/> and its <see cref="Release"/>.</summary>
    public IEndpointTransport Transport => Volatile.Read(ref _transport) ?? CreateTransport();

    /// <summary>Keeps the moment at which the endpoint becomes healthy; on the configuration path.</summary>
    public void Observe(bool isHealthy, long now) => HealthySince = isHealthy ? HealthySince ?? now : null;

    /// <summary>Takes part in the endpoint for one request.</summary>
    /// <returns><see langword="false"/> when the endpoint has been retired since it was picked: decide again.</returns>
    public bool TryAcquire()
    {
        if (Interlocked.Increment(ref _active) > 0)
        {
            return true;
        }

        Release();
        return false;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _active) == Retired)
        {
            Close();
        }
    }

    public void Retire()
    {
        if (Interlocked.Or(ref _active, Retired) == 0)
        {
            Close();
        }
    }

    /// <summary>A connection that carries no requests is open.</summary>
    public void Add(TcpConnection connection)
    {
        lock (_create)
        {
            (_connections ??= []).Add(connection);
        }
    }

    public void Remove(TcpConnection connection)
    {
        lock (_create)
        {
            _connections?.Remove(connection);
        }
    }

    /// <summary>Closes connections that carry no requests, under way as they are.</summary>
    public void CloseConnections(TcpCloseReason reason)
    {
        TcpConnection[] open;
        lock (_create)
        {
            open = [.. _connections ?? []];
        }

        foreach (var connection in open)
        {
            connection.Close(reason);
        }
    }

    private IEndpointTransport CreateTransport()
    {
        lock (_create)
        {
            Health.SeeTraffic();
            return _transport ??= createTransport();
        }
    }

    private void Close()
    {
        // A late TryAcquire may pass through zero again.
        if (Interlocked.Exchange(ref _closed, 1) == 0)
        {
            lock (_create)
            {
                _transport?.Dispose();
            }
        }
    }
}
