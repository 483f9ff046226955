using System.Net;
using System.Net.Sockets;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Dns;

namespace Mesh.DataPlane.Transports;

/// <summary>Makes the connections to one endpoint, whatever is spoken on them: within the cluster's <c>connect_timeout</c>, with its socket options, and counted.</summary>
internal sealed class EndpointDialer(EndPoint address, TransportSettings settings, ClusterStats stats, TimeProvider time)
{
    /// <summary>The connections that are open.</summary>
    public OpenConnections Open { get; } = new();

    public ClusterStats Stats { get; } = stats;

    /// <exception cref="SocketException">There is no connection; <see cref="SocketError.TimedOut"/> after the cluster's time.</exception>
    public async ValueTask<Socket> DialAsync(CancellationToken cancellationToken)
    {
        OwnConnections.Mark();
        var socket = address is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (address is not UnixDomainSocketEndPoint)
        {
            settings.TcpKeepalive?.Apply(socket);
        }

        using var timeout = new CancellationTokenSource(settings.ConnectTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            await socket.ConnectAsync(LogicalHost.AddressOf(address), linked.Token).ConfigureAwait(false);
            return socket;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            Stats.ConnectFailures.Increment();
            Stats.ConnectTimeouts.Increment();
            throw new SocketException((int)SocketError.TimedOut);
        }
        catch (Exception e)
        {
            socket.Dispose();
            if (e is not OperationCanceledException)
            {
                Stats.ConnectFailures.Increment();
            }

            throw;
        }
    }
}
