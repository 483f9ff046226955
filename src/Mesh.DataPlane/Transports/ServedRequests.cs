using System.Net.Sockets;
using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.Transports;

/// <summary>
/// Counts the requests that a connection has served and closes it after so many (Envoy's <c>max_requests_per_connection</c>).
/// <see cref="SocketsHttpHandler"/> knows no such number: the connection's own bytes are followed and, when the last response and its request
/// are complete, it shuts down before the handler can choose it again, for which it looks whether the connection has ended. On HTTP/2 there is
/// no limit.
/// </summary>
/// <param name="socket">The connection's.</param>
/// <param name="stats">Where it is counted that a connection has served all its requests; <see langword="null"/> for nowhere.</param>
/// <param name="maxRequests">How many there may be.</param>
internal sealed class ServedRequests(Socket socket, ClusterStats? stats, uint maxRequests)
{
    private readonly Lock _sync = new();
    private readonly Http1Message _request = new(isResponse: false);
    private readonly Http1Message _response = new(isResponse: true);
    private uint _maxRequests = maxRequests;
    private uint _served;
    private bool _counted;

    /// <summary>The request that is under way, or the next one, is the last.</summary>
    public void EndNext()
    {
        lock (_sync)
        {
            _maxRequests = _served + 1;
        }
    }

    /// <summary>Before bytes go out.</summary>
    public void Sending(ReadOnlySpan<byte> bytes)
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

    /// <summary>After they have: an early response may be complete before its request is.</summary>
    public void Sent()
    {
        lock (_sync)
        {
            Count();
        }
    }

    /// <summary>When bytes have come in.</summary>
    public void Received(ReadOnlySpan<byte> bytes)
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
        if (++_served >= _maxRequests)
        {
            stats?.MaxRequestsReached.Increment();
            try
            {
                socket.Shutdown(SocketShutdown.Both);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The other end was faster.
            }
        }
    }
}
