using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Mesh.TestNet.Dns;

/// <summary>A small DNS server on this machine, over UDP and TCP on one port; what it answers is up to the test.</summary>
public sealed class DnsServer : IAsyncDisposable
{
    private readonly ConcurrentQueue<DnsRequestSeen> _seen = [];
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly Func<DnsRequestSeen, IEnumerable<byte[]>> _answer;
    private readonly Socket _udp;
    private readonly Socket _tcp;
    private readonly Task _serving;

    private DnsServer(Socket udp, Socket tcp, Func<DnsRequestSeen, IEnumerable<byte[]>> answer)
    {
        (_udp, _tcp, _answer) = (udp, tcp, answer);
        EndPoint = (IPEndPoint)udp.LocalEndPoint!;
        _serving = Task.WhenAll(ServeUdpAsync(), ServeTcpAsync());
    }

    public IPEndPoint EndPoint { get; }

    public IReadOnlyList<DnsRequestSeen> Seen => [.. _seen];

    /// <summary>Completes when the next question has arrived.</summary>
    public Task ArrivedAsync() => _arrived.WaitAsync();

    /// <param name="answer">The messages that answer a question, in order; none for silence.</param>
    public static DnsServer Start(Func<DnsRequestSeen, IEnumerable<byte[]>> answer)
    {
        while (true)
        {
            // Somebody else may have the port for TCP.
            if (TryStart(new IPEndPoint(IPAddress.Loopback, 0), answer) is { } server)
            {
                return server;
            }
        }
    }

    /// <returns><see langword="null"/> when the address is taken.</returns>
    public static DnsServer? TryStart(IPEndPoint address, Func<DnsRequestSeen, IEnumerable<byte[]>> answer)
    {
        var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            udp.Bind(address);
            tcp.Bind(udp.LocalEndPoint!);
            tcp.Listen();
            return new DnsServer(udp, tcp, answer);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            udp.Dispose();
            tcp.Dispose();
            return null;
        }
    }

    /// <param name="answer">The one message that answers a question; <see langword="null"/> for silence.</param>
    public static DnsServer Answering(Func<DnsRequestSeen, DnsPacket?> answer)
        => Start(request => answer(request) is { } packet ? [packet.ToArray()] : []);

    public async ValueTask DisposeAsync()
    {
        _udp.Dispose();
        _tcp.Dispose();
        await _serving;
    }

    private async Task ServeUdpAsync()
    {
        var buffer = new byte[4096];
        try
        {
            while (true)
            {
                var received = await _udp.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0));
                var request = DnsRequestSeen.Read(buffer.AsSpan(0, received.ReceivedBytes), isTcp: false, (IPEndPoint)received.RemoteEndPoint);
                _seen.Enqueue(request);
                _arrived.Release();
                foreach (var message in _answer(request))
                {
                    await _udp.SendToAsync(message, received.RemoteEndPoint);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Ended.
        }
    }

    private async Task ServeTcpAsync()
    {
        try
        {
            while (true)
            {
                await AnswerAsync(await _tcp.AcceptAsync());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Ended.
        }
    }

    private async Task AnswerAsync(Socket connection)
    {
        try
        {
            await using var stream = new NetworkStream(connection, ownsSocket: true);
            var length = new byte[2];
            await stream.ReadExactlyAsync(length);
            var message = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
            await stream.ReadExactlyAsync(message);
            var request = DnsRequestSeen.Read(message, isTcp: true, (IPEndPoint)connection.RemoteEndPoint!);
            _seen.Enqueue(request);
            _arrived.Release();
            foreach (var answer in _answer(request))
            {
                BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)answer.Length);
                await stream.WriteAsync(length);
                await stream.WriteAsync(answer);
            }
        }
        catch (IOException)
        {
            // Who asked has gone.
        }
    }
}
