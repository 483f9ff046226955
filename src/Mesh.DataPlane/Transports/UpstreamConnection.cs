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
            Stats.ActiveConnections.Decrement();
            _open.Decrement();
        }

        base.Dispose(disposing);
    }
}
