using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.Transports;

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

    public override HealthProbe CreateProbe(HealthCheckTarget target) => new Probe(this, target);

    private sealed class Probe(TcpHealthCheck check, HealthCheckTarget target) : HealthProbe
    {
        private IEndpointTransport? _transport;
        private Stream? _stream;

        public override async Task<HealthCheckOutcome> CheckAsync(CancellationToken cancellationToken)
        {
            var keep = false;
            try
            {
                var stream = Volatile.Read(ref _stream) ?? await ConnectAsync(cancellationToken).ConfigureAwait(false);
                byte[] sent = [.. Header((stream as NetworkStream)?.Socket), .. check.Send];
                if (sent.Length > 0)
                {
                    await stream.WriteAsync(sent, cancellationToken).ConfigureAwait(false);
                }

                if (check.Receive.Length > 0)
                {
                    await ReceiveAsync(stream, cancellationToken).ConfigureAwait(false);
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

        public override void Dispose()
        {
            Interlocked.Exchange(ref _stream, null)?.Dispose();
            Interlocked.Exchange(ref _transport, null)?.Dispose();
        }

        private async Task<Stream> ConnectAsync(CancellationToken cancellationToken)
        {
            var stream = target.IsSecure ? await ConnectSecurelyAsync(cancellationToken).ConfigureAwait(false) : await ConnectPlainlyAsync(cancellationToken).ConfigureAwait(false);
            Volatile.Write(ref _stream, stream);
            return stream;
        }

        private ValueTask<Stream> ConnectSecurelyAsync(CancellationToken cancellationToken)
        {
            var transport = target.Connect(UpstreamProtocol.Http11);
            Interlocked.Exchange(ref _transport, transport)?.Dispose();
            return transport.ConnectAsync(target.EndpointHostname ?? target.Hostname, cancellationToken);
        }

        private async ValueTask<Stream> ConnectPlainlyAsync(CancellationToken cancellationToken)
        {
            OwnConnections.Mark();
            var socket = target.Address is UnixDomainSocketEndPoint
                ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
                : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(LogicalHost.AddressOf(target.Address), cancellationToken).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        private async Task ReceiveAsync(Stream stream, CancellationToken cancellationToken)
        {
            var answer = new byte[MaxAnswer];
            var length = 0;
            while (!Payloads.Match(check.Receive, answer.AsSpan(0, length)))
            {
                if (length == MaxAnswer)
                {
                    throw new InvalidDataException($"the answer to the health check is longer than {MaxAnswer} bytes");
                }

                var read = await stream.ReadAsync(answer.AsMemory(length), cancellationToken).ConfigureAwait(false);
                length += read > 0 ? read : throw new EndOfStreamException("the host closed the connection of the health check");
            }
        }

        private byte[] Header(Socket? socket) => check.ProxyProtocol switch
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
