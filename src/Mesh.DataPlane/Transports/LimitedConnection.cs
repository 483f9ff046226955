using System.Net.Sockets;
using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.Transports;

/// <summary>
/// A connection that closes after so many requests (Envoy's <c>max_requests_per_connection</c>). <see cref="SocketsHttpHandler"/> knows no such
/// number: the connection follows its own bytes and, when the last response and its request are complete, shuts down before the handler can
/// choose it again, for which it looks whether the connection has ended. On HTTP/2 there is no limit.
/// </summary>
internal sealed class LimitedConnection(Socket socket, ClusterStats stats, OpenConnections open, uint maxRequests) : UpstreamConnection(socket, stats, open)
{
    private readonly Lock _sync = new();
    private readonly Http1Message _request = new(isResponse: false);
    private readonly Http1Message _response = new(isResponse: true);
    private uint _served;
    private bool _counted;

    public override int Read(Span<byte> buffer)
    {
        var read = base.Read(buffer);
        Received(buffer[..read]);
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await base.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        Received(buffer.Span[..read]);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        Sending(buffer);
        base.Write(buffer);
        Sent();
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Sending(buffer.Span);
        await base.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        Sent();
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    private void Sending(ReadOnlySpan<byte> bytes)
    {
        lock (_sync)
        {
            while (!bytes.IsEmpty)
            {
                if (_request.IsComplete)
                {
                    _request.Reset();
                    _response.Reset();
                    _counted = false;
                }

                bytes = bytes[_request.Consume(bytes)..];
                _response.AnswersHead = _request.IsHead;
            }
        }
    }

    // An early response may be complete before its request is.
    private void Sent()
    {
        lock (_sync)
        {
            Count();
        }
    }

    private void Received(ReadOnlySpan<byte> bytes)
    {
        lock (_sync)
        {
            if (!_request.IsHttp2)
            {
                _response.Consume(bytes);
                Count();
            }
        }
    }

    private void Count()
    {
        if (_counted || !_request.IsComplete || !_response.IsComplete)
        {
            return;
        }

        _counted = true;
        if (++_served >= maxRequests)
        {
            Stats.MaxRequestsReached.Increment();
            try
            {
                Socket.Shutdown(SocketShutdown.Both);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The other end was faster.
            }
        }
    }
}
