using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Mesh.DataPlane.Dns;

/// <summary>One question to one server, on a socket of its own: each question has another port, which who would forge an answer must guess.</summary>
internal static class DnsExchange
{
    private const int MaxMessage = ushort.MaxValue;

    /// <exception cref="SocketException">The server cannot be reached.</exception>
    /// <exception cref="DnsFormatException">The server's answer breaks the format.</exception>
    public static async ValueTask<DnsResponse> OverUdpAsync(IPEndPoint server, ushort id, DnsQuestion question, bool extended, CancellationToken cancellationToken)
    {
        OwnConnections.Mark();
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);

        // Connected, the socket takes nothing from other senders and learns that nobody listens.
        await socket.ConnectAsync(server, cancellationToken).ConfigureAwait(false);
        await socket.SendAsync(DnsRequest.Write(id, question, extended), SocketFlags.None, cancellationToken).ConfigureAwait(false);
        var buffer = ArrayPool<byte>.Shared.Rent(MaxMessage);
        try
        {
            while (true)
            {
                var received = await socket.ReceiveAsync(buffer.AsMemory(0, MaxMessage), SocketFlags.None, cancellationToken).ConfigureAwait(false);
                if (ReadAnswer(buffer.AsSpan(0, received), id, question) is { } response)
                {
                    return response;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <exception cref="SocketException">The server cannot be reached.</exception>
    /// <exception cref="IOException">The connection ended before the answer.</exception>
    /// <exception cref="DnsFormatException">The server's answer breaks the format, or answers something else.</exception>
    public static async ValueTask<DnsResponse> OverTcpAsync(IPEndPoint server, ushort id, DnsQuestion question, bool extended, CancellationToken cancellationToken)
    {
        OwnConnections.Mark();
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, cancellationToken).ConfigureAwait(false);
        using var stream = new NetworkStream(socket);
        var request = DnsRequest.Write(id, question, extended);
        var message = new byte[sizeof(ushort) + request.Length];
        BinaryPrimitives.WriteUInt16BigEndian(message, (ushort)request.Length);
        request.CopyTo(message, sizeof(ushort));
        await stream.WriteAsync(message, cancellationToken).ConfigureAwait(false);
        await stream.ReadExactlyAsync(message.AsMemory(0, sizeof(ushort)), cancellationToken).ConfigureAwait(false);
        var answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(message)];
        await stream.ReadExactlyAsync(answer, cancellationToken).ConfigureAwait(false);
        var response = DnsResponse.Parse(answer);
        return response.IsAnswerTo(id, question) && !response.IsTruncated
            ? response
            : throw new DnsFormatException("the server answered another question, or only half of it, over TCP");
    }

    // Anything may arrive in a datagram: what is not this answer is not waited for and not an error either.
    private static DnsResponse? ReadAnswer(ReadOnlySpan<byte> datagram, ushort id, DnsQuestion question)
    {
        try
        {
            var response = DnsResponse.Parse(datagram);
            return response.IsAnswerTo(id, question) ? response : null;
        }
        catch (DnsFormatException) when (datagram.Length < sizeof(ushort) || BinaryPrimitives.ReadUInt16BigEndian(datagram) != id)
        {
            return null;
        }
    }
}
