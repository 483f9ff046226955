using System.Net.Sockets;
using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.Transports;

/// <summary>A connection in clear text that closes after so many requests.</summary>
internal sealed class LimitedConnection(Socket socket, ClusterStats stats, OpenConnections open, uint maxRequests) : UpstreamConnection(socket, stats, open)
{
    private readonly ServedRequests _served = new(stats, maxRequests);

    public override int Read(Span<byte> buffer)
    {
        while (true)
        {
            if (_served.TryTake(buffer, out var count))
            {
                return count;
            }

            var read = base.Read(buffer);
            if ((count = _served.Received(buffer, read)) > 0 || read == 0)
            {
                return count;
            }
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (_served.TryTake(buffer.Span, out var count))
            {
                return count;
            }

            var read = await base.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if ((count = _served.Received(buffer.Span, read)) > 0 || read == 0)
            {
                return count;
            }
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _served.Sending(buffer);
        base.Write(buffer);
        _served.Sent();
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _served.Sending(buffer.Span);
        await base.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        _served.Sent();
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
}
