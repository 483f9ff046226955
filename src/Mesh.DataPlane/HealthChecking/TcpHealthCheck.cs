using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.DataPlane.Dns;

namespace Mesh.DataPlane.HealthChecking;

/// <summary>Asks by a connection, and by bytes sent and received on it if there are any (<c>tcp_health_check</c>).</summary>
internal sealed class TcpHealthCheck : HealthCheckKind
{
    private const int MaxAnswer = 64 * 1024;

    public byte[] Send { get; init; } = [];

    public byte[][] Receive { get; init; } = [];

    public bool ReuseConnection { get; init; } = true;

    /// <summary>The version of the PROXY protocol's header that goes first; <see langword="null"/> for none.</summary>
    public int? ProxyProtocol { get; init; }

    public override HealthProbe CreateProbe(HealthCheckTarget target) => new Probe(this, target.Address);

    private sealed class Probe(TcpHealthCheck check, EndPoint address) : HealthProbe
    {
        private Socket? _socket;

        public override async Task<HealthCheckOutcome> CheckAsync(CancellationToken cancellationToken)
        {
            var keep = false;
            try
            {
                var socket = Volatile.Read(ref _socket) ?? await ConnectAsync(cancellationToken).ConfigureAwait(false);
                byte[] sent = [.. Header(socket), .. check.Send];
                if (sent.Length > 0)
                {
                    await socket.SendAsync(sent, cancellationToken).ConfigureAwait(false);
                }

                if (check.Receive.Length > 0)
                {
                    await ReceiveAsync(socket, cancellationToken).ConfigureAwait(false);
                    keep = check.ReuseConnection;
                }

                return HealthCheckOutcome.Passed;
            }
            finally
            {
                if (!keep)
                {
                    Dispose();
                }
            }
        }

        public override void Dispose() => Interlocked.Exchange(ref _socket, null)?.Dispose();

        private async Task<Socket> ConnectAsync(CancellationToken cancellationToken)
        {
            OwnConnections.Mark();
            var socket = address is UnixDomainSocketEndPoint
                ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
                : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            Volatile.Write(ref _socket, socket);
            await socket.ConnectAsync(LogicalHost.AddressOf(address), cancellationToken).ConfigureAwait(false);
            return socket;
        }

        private async Task ReceiveAsync(Socket socket, CancellationToken cancellationToken)
        {
            var answer = new byte[MaxAnswer];
            var length = 0;
            while (!Payloads.Match(check.Receive, answer.AsSpan(0, length)))
            {
                if (length == MaxAnswer)
                {
                    throw new InvalidDataException($"the answer to the health check is longer than {MaxAnswer} bytes");
                }

                var read = await socket.ReceiveAsync(answer.AsMemory(length), cancellationToken).ConfigureAwait(false);
                length += read > 0 ? read : throw new EndOfStreamException("the host closed the connection of the health check");
            }
        }

        private byte[] Header(Socket socket) => check.ProxyProtocol switch
        {
            null => [],
            1 when socket is { LocalEndPoint: IPEndPoint local, RemoteEndPoint: IPEndPoint remote }
                => Encoding.ASCII.GetBytes($"PROXY TCP{(remote.AddressFamily == AddressFamily.InterNetwork || remote.Address.IsIPv4MappedToIPv6 ? 4 : 6)} {Plain(local)} {Plain(remote)} {local.Port} {remote.Port}\r\n"),
            1 => "PROXY UNKNOWN\r\n"u8.ToArray(),

            // LOCAL: the connection is the checker's own.
            _ => [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x20, 0, 0, 0],
        };

        private static IPAddress Plain(IPEndPoint endpoint) => endpoint.Address.IsIPv4MappedToIPv6 ? endpoint.Address.MapToIPv4() : endpoint.Address;
    }
}
