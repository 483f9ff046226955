using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Telemetry.Peers;

namespace Mesh.DataPlane.Telemetry.Metrics;

/// <summary>
/// Counts one connection: that it was opened, its bytes now and then and at its end, that it was closed. As in Istio, what is received comes from whoever
/// has opened the connection, and what is sent goes to him.
/// </summary>
/// <param name="metrics">Where.</param>
/// <param name="cluster">Where it goes.</param>
/// <param name="service">Which service it is for.</param>
/// <param name="time">The clock.</param>
/// <param name="interval">How often bytes are counted while it is open; zero is only at its end.</param>
internal sealed class ConnectionMeter(ConnectionMetrics metrics, string cluster, ServiceNames service, TimeProvider time, TimeSpan interval)
{
    private readonly Lock _sync = new();
    private readonly DateTimeOffset _began = time.GetUtcNow();
    private ConnectionKey _key;
    private ITimer? _timer;
    private long _sent;
    private long _received;
    private bool _hasBegun;
    private int _hasEnded;

    /// <summary>The client's door: where it leads, or has been tried last.</summary>
    public Endpoint? Endpoint { get; set; }

    /// <summary>The server's door: what is known of it.</summary>
    public ConnectionFacts? Facts { get; init; }

    /// <summary>It is open; once.</summary>
    public void Begin()
    {
        Begin("");
        if (interval > TimeSpan.Zero)
        {
            _timer = time.CreateTimer(static meter => ((ConnectionMeter)meter!).Report(), this, interval, interval);
        }
    }

    /// <summary>There will be none, or it could not be kept.</summary>
    /// <param name="flags">Why, as Envoy's response flags.</param>
    public void Fail(string flags)
    {
        if (!_hasBegun)
        {
            Begin(flags);
        }

        End(flags);
    }

    public void Received(long bytes) => Add(ref _received, bytes);

    public void Sent(long bytes) => Add(ref _sent, bytes);

    /// <summary>It is over; counts once.</summary>
    /// <param name="flags">Why, where Envoy has a response flag for it.</param>
    public void End(string flags = "")
    {
        if (Interlocked.Exchange(ref _hasEnded, 1) != 0)
        {
            return;
        }

        _timer?.Dispose();
        lock (_sync)
        {
            if (flags != _key.Flags)
            {
                _key = Key(flags);
            }

            Report();
            metrics.Find(_key).Close(Context(flags));
        }
    }

    // What is still under way when it ends is not lost.
    private void Add(ref long total, long bytes)
    {
        Interlocked.Add(ref total, bytes);
        if (Volatile.Read(ref _hasEnded) != 0)
        {
            Report();
        }
    }

    private void Begin(string flags)
    {
        _key = Key(flags);
        _hasBegun = true;
        metrics.Find(_key).Open();
    }

    private void Report()
    {
        lock (_sync)
        {
            var (sent, received) = (Interlocked.Exchange(ref _sent, 0), Interlocked.Exchange(ref _received, 0));
            if (sent > 0 || received > 0)
            {
                metrics.Find(_key).Carry(sent, received);
            }
        }
    }

    private ConnectionKey Key(string flags)
        => new(
            Endpoint?.Resource.Peer ?? Peer.Unknown,
            service,
            (Facts is null ? Endpoint?.State.Principals : Facts.Principals) ?? Principals.None,
            flags,
            metrics.Express(Context(flags)));

    private FormatContext Context(string flags)
        => new(time)
        {
            Connection = Facts,
            RemoteAddress = Facts?.RemoteEndPoint?.Address,
            Cluster = cluster,
            Endpoint = Endpoint,
            StartTime = _began,
            ResponseFlags = flags,
        };
}
