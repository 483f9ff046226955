using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Mesh.DataPlane.Inbound;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Mesh.Server.Connections;

/// <summary>A TCP port of the server. Connections are let in beside each other; the server gets those that were, in the order in which they became ready.</summary>
internal sealed partial class MeshListener : IConnectionListener
{
    /// <summary>So many may be on their way in; more are reset, so that who connects and says nothing holds a bounded part of the memory.</summary>
    public const int MaxPending = 4096;

    private readonly Channel<ConnectionContext> _ready = Channel.CreateUnbounded<ConnectionContext>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _unbound = new();
    private readonly Socket _socket;
    private readonly InboundListener _inbound;
    private readonly InboundAdmission _admission;
    private readonly SocketConnectionContextFactory _connections;
    private readonly SocketTransportOptions _transport;
    private readonly ILogger _logger;
    private readonly Task _accepting;
    private int _pending;

    public MeshListener(
        Socket socket,
        IPEndPoint endPoint,
        InboundListener inbound,
        InboundAdmission admission,
        SocketConnectionContextFactory connections,
        SocketTransportOptions transport,
        ILogger logger)
    {
        (_socket, EndPoint, _inbound, _admission, _connections, _transport, _logger) = (socket, endPoint, inbound, admission, connections, transport, logger);
        _accepting = AcceptAllAsync();
    }

    public EndPoint EndPoint { get; }

    /// <summary>How many are on their way in.</summary>
    public int Pending => Volatile.Read(ref _pending);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _ready.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_ready.Reader.TryRead(out var connection))
            {
                return connection;
            }
        }

        return null;
    }

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        // First: whoever is the last on its way in ends the wait of AcceptAsync only if it knows of this.
        var cancelled = _unbound.CancelAsync();
        _socket.Dispose();
        await cancelled.ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await UnbindAsync().ConfigureAwait(false);
        while (_ready.Reader.TryRead(out var connection))
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }

        _inbound.Dispose();
    }

    private async Task AcceptAllAsync()
    {
        while (!_unbound.IsCancellationRequested)
        {
            Socket socket;
            try
            {
                socket = await _socket.AcceptAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (e is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                break;
            }
            catch (SocketException)
            {
                // It was reset while it waited to be accepted.
                continue;
            }

            if (Interlocked.Increment(ref _pending) > MaxPending)
            {
                Interlocked.Decrement(ref _pending);
                _admission.Refuse(socket, _inbound, $"{MaxPending} connections are on their way in already");
                continue;
            }

            // A handshake is work, and the next one is to be accepted meanwhile.
            ThreadPool.UnsafeQueueUserWorkItem(static s => _ = s.Self.AdmitAsync(s.Socket), (Self: this, Socket: socket), preferLocal: false);
        }

        if (Volatile.Read(ref _pending) == 0)
        {
            _ready.Writer.TryComplete();
        }
    }

    private async Task AdmitAsync(Socket socket)
    {
        try
        {
            socket.NoDelay = _transport.NoDelay;
            if (await _admission.AdmitAsync(socket, _inbound, _connections, _unbound.Token).ConfigureAwait(false) is { } connection && !_ready.Writer.TryWrite(connection))
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }
        }
#pragma warning disable CA1031 // One connection, whatever is wrong with it, is not the port's end.
        catch (Exception e)
#pragma warning restore CA1031
        {
            socket.Dispose();
            Log.Failed(_logger, EndPoint, e);
        }
        finally
        {
            if (Interlocked.Decrement(ref _pending) == 0 && _unbound.IsCancellationRequested)
            {
                _ready.Writer.TryComplete();
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "A connection to {EndPoint} could not be let in.")]
        public static partial void Failed(ILogger logger, EndPoint endPoint, Exception exception);
    }
}
