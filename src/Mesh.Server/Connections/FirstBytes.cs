using System.Buffers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Mesh.DataPlane.Tcp;

namespace Mesh.Server.Connections;

/// <summary>
/// The first bytes of a connection. Whoever says at once what is needed is only peeked at, and its socket handed on as if nobody had looked; who says
/// it in pieces is read, up to a bound, and what was read is played again. Before the first byte no memory is held.
/// </summary>
internal sealed class FirstBytes(Socket socket) : IDisposable
{
    private const int FirstBuffer = 2048;

    private byte[] _buffer = [];
    private int _length;

    public enum Outcome
    {
        /// <summary>The peer has closed the connection before it said anything.</summary>
        Nothing,

        /// <summary>It is TLS.</summary>
        Tls,

        /// <summary>It is not TLS.</summary>
        Plain,

        /// <summary>It is not TLS, and begins as HTTP/2 does.</summary>
        Http2,

        /// <summary>It began like TLS and breaks the rules.</summary>
        BrokenTls,
    }

    /// <summary>What the client says, when it speaks TLS.</summary>
    public ClientHello? Hello { get; private set; }

    /// <summary>What has been read; the socket goes on behind it.</summary>
    public ReadOnlyMemory<byte> Read { get; private set; }

    /// <summary>What has been seen.</summary>
    public ReadOnlySpan<byte> Seen => _buffer.AsSpan(0, _length);

    /// <summary>Looks until it is clear what the connection is.</summary>
    /// <param name="maxLength">How much may be looked at.</param>
    /// <param name="detectsHttp2">Whether the beginning of HTTP/2 is waited for.</param>
    /// <param name="cancellationToken">Ends it.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Outcome> LookAsync(int maxLength, bool detectsHttp2, CancellationToken cancellationToken)
    {
        await socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None, cancellationToken).ConfigureAwait(false);
        _buffer = ArrayPool<byte>.Shared.Rent(Math.Min(FirstBuffer, maxLength));
        _length = await socket.ReceiveAsync(_buffer, SocketFlags.Peek, cancellationToken).ConfigureAwait(false);
        if (_length == 0)
        {
            return Outcome.Nothing;
        }

        if (Decide(maxLength, detectsHttp2) is { } outcome)
        {
            return outcome;
        }

        // In pieces: they are taken out of the socket, or waiting for the next one would find the last one again and again.
        var seen = _length;
        _length = 0;
        while (_length < seen)
        {
            _length += await socket.ReceiveAsync(_buffer.AsMemory(_length, seen - _length), SocketFlags.None, cancellationToken).ConfigureAwait(false);
        }

        while (true)
        {
            Read = _buffer.AsMemory(0, _length);
            if (Decide(maxLength, detectsHttp2) is { } found)
            {
                return found;
            }

            if (_length == _buffer.Length)
            {
                Grow(maxLength);
            }

            var count = await socket.ReceiveAsync(_buffer.AsMemory(_length), SocketFlags.None, cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                // Whatever it would have become.
                return Outcome.Plain;
            }

            _length += count;
        }
    }

    public void Dispose()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
            _length = 0;
            Read = default;
        }
    }

    private Outcome? Decide(int maxLength, bool detectsHttp2)
    {
        switch (ClientHello.Read(Seen, maxLength, out var hello))
        {
            case ClientHello.Outcome.Complete:
                Hello = hello;
                return Outcome.Tls;
            case ClientHello.Outcome.Invalid:
                return Outcome.BrokenTls;
            case ClientHello.Outcome.Incomplete:
                return null;
            default:
                return !detectsHttp2 ? Outcome.Plain
                    : Http2Preface.Check(Seen) switch
                    {
                        true => Outcome.Http2,
                        false => Outcome.Plain,
                        null => null,
                    };
        }
    }

    private void Grow(int maxLength)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Min(2 * _buffer.Length, Math.Max(maxLength, _length + 1)));
        Seen.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
