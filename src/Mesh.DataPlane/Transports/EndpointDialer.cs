using System.Net;
using System.Net.Sockets;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.LoadReporting;
using Mesh.DataPlane.Tls;

namespace Mesh.DataPlane.Transports;

/// <summary>Makes the connections to one endpoint, whatever is spoken on them: within the cluster's <c>connect_timeout</c>, with its socket options, and counted.</summary>
internal sealed class EndpointDialer(EndPoint address, TransportSettings settings, ClusterStats stats, TimeProvider time)
{
    /// <summary>The connections that are open.</summary>
    public OpenConnections Open { get; init; } = new();

    public ClusterStats Stats { get; } = stats;

    /// <summary>Makes a connection.</summary>
    /// <param name="countsRequests">Whether <c>max_requests_per_connection</c> is held on it.</param>
    /// <param name="secure">The handshake on it, which gives what is to be used of it; <see langword="null"/> for clear text. It has the rest of the time.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="SocketException">There is no connection; <see cref="SocketError.TimedOut"/> after the cluster's time.</exception>
    /// <exception cref="TlsFailureException">There is a connection, and not the secure one that it should be.</exception>
    public async ValueTask<Stream> DialAsync(bool countsRequests, Func<TlsStream, CancellationToken, ValueTask<Stream>>? secure, CancellationToken cancellationToken)
    {
        OwnConnections.Mark();
        using var timeout = new CancellationTokenSource(settings.ConnectTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        Socket? socket = null;
        try
        {
            socket = address is LogicalHost { Addresses: { Count: > 1 } addresses }
                ? await ConnectionRace.RunAsync(addresses, ConnectAsync, time, linked.Token).ConfigureAwait(false)
                : await ConnectAsync(LogicalHost.AddressOf(address), linked.Token).ConfigureAwait(false);
            var limit = countsRequests ? settings.MaxRequestsPerConnection : 0;
            if (secure is null)
            {
                return limit > 0 ? new LimitedConnection(socket, Stats, Open, limit) : new UpstreamConnection(socket, Stats, Open);
            }

            // The handshake closes what it cannot use.
            var stream = new TlsStream(new UpstreamConnection(socket, Stats, Open), limit > 0 ? new ServedRequests(Stats, limit) : null);
            var secured = await secure(stream, linked.Token).ConfigureAwait(false);
            Stats.TlsHandshakes.Increment();
            return secured;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            socket?.Dispose();
            OnFailed();
            Stats.ConnectTimeouts.Increment();
            throw new SocketException((int)SocketError.TimedOut);
        }
        catch (Exception e)
        {
            socket?.Dispose();
            if (e is not OperationCanceledException)
            {
                OnFailed();
            }

            if (e is TlsFailureException)
            {
                Stats.TlsFailures.Increment();
            }

            throw;
        }
    }

    private void OnFailed()
    {
        Stats.ConnectFailures.Increment();
        Open.Load.Count(LoadCount.ConnectFailures);
    }

    private async Task<Socket> ConnectAsync(EndPoint to, CancellationToken cancellationToken)
    {
        var socket = to is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (to is not UnixDomainSocketEndPoint)
            {
                settings.TcpKeepalive?.Apply(socket);
            }

            await socket.ConnectAsync(to, cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
