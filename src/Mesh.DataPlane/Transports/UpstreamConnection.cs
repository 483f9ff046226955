using System.Net.Sockets;
using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.Transports;

/// <summary>A connection to an endpoint, counted as long as it is open. Reads and writes are the socket's own.</summary>
internal class UpstreamConnection : NetworkStream
{
    private readonly OpenConnections _open;
    private int _closed;

    public UpstreamConnection(Socket socket, ClusterStats stats, OpenConnections open)
        : base(socket, ownsSocket: true)
    {
        Stats = stats;
        _open = open;
        open.Increment();
        stats.Connections.Increment();
        stats.ActiveConnections.Increment();
    }

    protected ClusterStats Stats { get; }

    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
        {
            (IsClosedThere() ? ref Stats.ClosedThere : ref Stats.ClosedHere).Increment();
            Stats.ActiveConnections.Decrement();
            _open.Decrement();
        }

        base.Dispose(disposing);
    }

    // Asked once, when it is over: watching each read would cost every request.
    private bool IsClosedThere()
    {
        try
        {
            return Socket.Poll(0, SelectMode.SelectRead) && Socket.Available == 0;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return e is SocketException;
        }
    }
}
