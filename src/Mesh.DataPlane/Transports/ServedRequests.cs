using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.Transports;

/// <summary>
/// Counts the requests that a connection has served and lets the last response say that it is the last (Envoy's <c>max_requests_per_connection</c>).
/// <see cref="SocketsHttpHandler"/> knows no such number: the connection's own bytes are followed, and the handler reads <c>Connection: close</c>, by which
/// it uses the connection for nobody else. On HTTP/2 there is no limit.
/// </summary>
/// <param name="stats">Where it is counted that a connection has served all its requests; <see langword="null"/> for nowhere.</param>
/// <param name="maxRequests">How many there may be.</param>
internal sealed class ServedRequests(ClusterStats? stats, uint maxRequests)
{
    private readonly Lock _sync = new();
    private readonly Http1Message _request = new(isResponse: false);
    private readonly Http1Message _response = new(isResponse: true);
    private readonly CloseNotice _notice = new();
    private uint _maxRequests = maxRequests;
    private uint _served;
    private bool _isUnderWay;

    /// <summary>The next request is the last.</summary>
    public void EndNext()
    {
        lock (_sync)
        {
            _maxRequests = _served + (_isUnderWay ? 2u : 1u);
        }
    }

    /// <summary>Before bytes go out.</summary>
    public void Sending(ReadOnlySpan<byte> bytes)
    {
        lock (_sync)
        {
            while (!bytes.IsEmpty)
            {
                if (!_isUnderWay || _request.IsComplete)
                {
                    _isUnderWay = true;
                    _request.Reset();
                    _response.Reset();
                    if (_served + 1 >= _maxRequests)
                    {
                        _notice.Begin();
                    }
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

    /// <summary>What is to be read before anything else comes in.</summary>
    public bool TryTake(Span<byte> buffer, out int count)
    {
        lock (_sync)
        {
            return _notice.TryTake(buffer, out count);
        }
    }

    /// <summary>When bytes have come in.</summary>
    /// <returns>How much of the buffer counts; nothing, after something had come, when more is needed.</returns>
    public int Received(Span<byte> buffer, int read)
    {
        lock (_sync)
        {
            if (_request.IsHttp2)
            {
                return read;
            }

            _response.Consume(buffer[..read]);
            Count();
            return _notice.Add(buffer, read);
        }
    }

    private void Count()
    {
        if (!_isUnderWay || !_request.IsComplete || !_response.IsComplete)
        {
            return;
        }

        _isUnderWay = false;
        if (++_served == _maxRequests)
        {
            stats?.MaxRequestsReached.Increment();
        }
    }
}
