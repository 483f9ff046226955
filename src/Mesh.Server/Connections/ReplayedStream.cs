using System.Net.Sockets;

namespace Mesh.Server.Connections;

/// <summary>A connection whose first bytes have been read already, and are read again.</summary>
internal sealed class ReplayedStream : NetworkStream
{
    private byte[]? _first;
    private int _position;

    public ReplayedStream(Socket socket, ReadOnlySpan<byte> first)
        : base(socket, ownsSocket: true) => _first = first.ToArray();

    public override int Read(Span<byte> buffer) => _first is null ? base.Read(buffer) : Replay(buffer);

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        => _first is null ? base.ReadAsync(buffer, cancellationToken) : ValueTask.FromResult(Replay(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    private int Replay(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _first!.Length - _position);
        _first.AsSpan(_position, count).CopyTo(buffer);
        _position += count;
        if (_position == _first.Length)
        {
            _first = null;
        }

        return count;
    }
}
