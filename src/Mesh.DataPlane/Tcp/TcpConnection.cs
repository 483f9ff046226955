using System.Net;
using System.Net.Sockets;
using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadReporting;
using Mesh.DataPlane.Telemetry;
using Mesh.Xds.Validation;

namespace Mesh.DataPlane.Tcp;

/// <summary>
/// An open connection to an endpoint, and what it holds: its part in the endpoint, the cluster's permit, its place in the chain, its clocks. All of that is
/// given back once, when it is closed, by whomever. The caller has a <see cref="TcpStream"/>, which nothing here refers to: so a lost one is found.
/// </summary>
internal sealed class TcpConnection
{
    // Who has been silent for so long is between two questions.
    private static readonly TimeSpan _silence = TimeSpan.FromSeconds(10);

    private readonly EndpointState _endpoint;
    private readonly CircuitBreaker _breaker;
    private readonly TcpChain? _chain;
    private readonly ClusterStats _stats;
    private readonly TimeProvider _time;
    private readonly string _name;
    private readonly TimeSpan _idleTimeout;
    private ITimer? _idle;
    private ITimer? _maxDuration;
    private ITimer? _age;
    private DateTimeOffset _expires;
    private long _lastActivity;
    private int _closed;
    private int _halves;

    /// <param name="inner">The connection.</param>
    /// <param name="name">What was asked for and where it leads, for what is told.</param>
    /// <param name="remote">Where it leads.</param>
    /// <param name="endpoint">A part in it has been taken.</param>
    /// <param name="stats">Those of the cluster.</param>
    /// <param name="breaker">What has let it in.</param>
    /// <param name="chain">What it was admitted by.</param>
    /// <param name="time">The clock.</param>
    /// <param name="idleTimeout">How long nothing may move on it; infinite for as long as it likes.</param>
    public TcpConnection(Stream inner, string name, EndPoint remote, EndpointState endpoint, ClusterStats stats, CircuitBreaker breaker, TcpChain? chain, TimeProvider time, TimeSpan idleTimeout)
    {
        Inner = inner;
        RemoteEndPoint = remote;
        _name = name;
        _endpoint = endpoint;
        _stats = stats;
        _breaker = breaker;
        _chain = chain;
        _time = time;
        _idleTimeout = idleTimeout;
    }

    /// <summary>Where it is counted for reports of load.</summary>
    public EndpointLoad Load { get; init; } = EndpointLoad.Unreported;

    /// <summary>What is told of it; <see langword="null"/> when nobody wants to know.</summary>
    public ConnectionRecord? Record { get; init; }

    public Stream Inner { get; }

    public EndPoint RemoteEndPoint { get; }

    public TcpCloseReason ClosedBy => (TcpCloseReason)Volatile.Read(ref _closed);

    /// <summary>Starts its clocks and takes its places; once.</summary>
    /// <param name="maxDuration">How long it may last; infinite for as long as it likes.</param>
    /// <param name="certificates">
    /// When the first of the certificates ends that it was made with, and after how long it closes as soon as nothing moves; <see langword="null"/> where
    /// there are none. Nothing of what it carries says where it could be interrupted.
    /// </param>
    public void Open(TimeSpan maxDuration, (DateTimeOffset Expires, TimeSpan Age)? certificates = null)
    {
        Record?.Begin((Inner as NetworkStream)?.Socket.LocalEndPoint as IPEndPoint, Inner);
        _lastActivity = _time.GetTimestamp();

        // Those that set themselves again are set when they are known here: they may be due before this thread goes on.
        if (_idleTimeout != Timeout.InfiniteTimeSpan)
        {
            _idle = _time.CreateTimer(static c => ((TcpConnection)c!).OnIdle(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _idle.Change(_idleTimeout, Timeout.InfiniteTimeSpan);
        }

        if (maxDuration != Timeout.InfiniteTimeSpan)
        {
            _maxDuration = _time.CreateTimer(static c => ((TcpConnection)c!).Close(TcpCloseReason.MaxDuration), this, maxDuration, Timeout.InfiniteTimeSpan);
        }

        if (certificates is var (expires, age))
        {
            _expires = expires;
            _age = _time.CreateTimer(static c => ((TcpConnection)c!).OnAge(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _age.Change(age, Timeout.InfiniteTimeSpan);
        }

        _chain?.Connections.Add(this);
        _endpoint.Add(this);

        // Whoever closed it meanwhile has not seen these.
        if (ClosedBy != TcpCloseReason.None)
        {
            Forget();
        }
    }

    public void Sent(int bytes)
    {
        _stats.BytesSent.Add(bytes);
        Record?.Received(bytes);
        Load.Add(LoadCount.BytesSent, bytes);
        Volatile.Write(ref _lastActivity, _time.GetTimestamp());
    }

    public void Received(int bytes)
    {
        _stats.BytesReceived.Add(bytes);
        Record?.Sent(bytes);
        Load.Add(LoadCount.BytesReceived, bytes);
        Volatile.Write(ref _lastActivity, _time.GetTimestamp());
    }

    /// <summary>The other end has said all it had to say.</summary>
    public void EndReading() => EndHalf(1);

    /// <summary>So has this one.</summary>
    public void EndWriting() => EndHalf(2);

    /// <summary>Closes the connection, unless it is closed.</summary>
    public void Close(TcpCloseReason reason)
    {
        if (Interlocked.CompareExchange(ref _closed, (int)reason, (int)TcpCloseReason.None) != (int)TcpCloseReason.None)
        {
            return;
        }

        switch (reason)
        {
            case TcpCloseReason.Idle:
                _stats.IdleTimeouts.Increment();
                break;
            case TcpCloseReason.MaxDuration:
                _stats.MaxDurationReached.Increment();
                break;
        }

        // Before its end can be heard of: whoever hears of it may connect again at once, to the place that was its own.
        _breaker.Disconnect(_endpoint);
        Inner.Dispose();
        Forget();
        Record?.End(reason == TcpCloseReason.MaxDuration ? "DT" : "");
        _endpoint.Release();
    }

    /// <summary>The next thing that the other end hears is a reset.</summary>
    public void Abort()
    {
        try
        {
            if (Inner is NetworkStream plain)
            {
                // The socket itself: its stream would say goodbye first.
                plain.Socket.LingerState = new LingerOption(true, 0);
                plain.Socket.Dispose();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is closed already.
        }

        Close(TcpCloseReason.Disposed);
    }

    /// <summary>The exception for whoever still reads or writes; when it is the connection that broke, it is closed by that.</summary>
    public Exception Failure(Exception inner)
    {
        Close(TcpCloseReason.Broken);
        return ClosedBy switch
        {
            TcpCloseReason.Idle => new IOException($"The connection to {_name} was closed: nothing moved on it for {_idleTimeout} (idle_timeout).", inner),
            TcpCloseReason.MaxDuration => new IOException($"The connection to {_name} was closed: it has lasted as long as it may (max_downstream_connection_duration).", inner),
            TcpCloseReason.Aged => new IOException($"The connection to {_name} was closed: a certificate that it was made with ends at {_expires:u}; connect again.", inner),
            TcpCloseReason.Drained => new IOException($"The connection to {_name} was closed: the configuration that it was made by is no longer in force, and the time for draining is over.", inner),
            TcpCloseReason.HostFailed => new IOException($"The connection to {_name} was closed: its host has turned unhealthy (close_connections_on_host_health_failure).", inner),
            TcpCloseReason.Disposed => inner as ObjectDisposedException ?? new ObjectDisposedException(nameof(MeshStream), inner),
            _ => inner,
        };
    }

    public override string ToString() => _name;

    private void EndHalf(int half)
    {
        if ((Interlocked.Or(ref _halves, half) | half) == 3)
        {
            Close(TcpCloseReason.Completed);
        }
    }

    private void Forget()
    {
        _idle?.Dispose();
        _maxDuration?.Dispose();
        _age?.Dispose();
        _chain?.Connections.Remove(this);
        _endpoint.Remove(this);
    }

    private void OnAge()
    {
        var quietIn = _silence - _time.GetElapsedTime(Volatile.Read(ref _lastActivity));
        var left = _expires - _time.GetUtcNow();
        if (quietIn <= TimeSpan.Zero || left <= TimeSpan.Zero)
        {
            Close(TcpCloseReason.Aged);
        }
        else
        {
            _age?.Change(TimerRange.Limit(quietIn < left ? quietIn : left), Timeout.InfiniteTimeSpan);
        }
    }

    private void OnIdle()
    {
        var left = _idleTimeout - _time.GetElapsedTime(Volatile.Read(ref _lastActivity));
        if (left <= TimeSpan.Zero)
        {
            Close(TcpCloseReason.Idle);
        }
        else
        {
            _idle?.Change(left, Timeout.InfiniteTimeSpan);
        }
    }
}
