using System.Collections.Concurrent;
using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.Upstream;

/// <summary>
/// A request that takes part in an endpoint, from the pick to the end of its response. Pooled; whoever owns it ends it exactly once, and when
/// the owner is lost (a response that nobody reads or disposes) the finalizer does: it sits here, on the pooled object, so that the ordinary
/// request does not pay for a finalizable allocation.
/// </summary>
internal sealed class HttpExchange
{
    private const int MaxPooled = 1024;

    private static readonly ConcurrentQueue<HttpExchange> Pool = new();
    private static int _pooled;

    private EndpointState? _endpoint;

    private HttpExchange()
    {
    }

    ~HttpExchange()
    {
        // The last release closes a retired endpoint's pool, which takes locks and may throw: nothing for the finalizer's thread.
        if (_endpoint is { } endpoint)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static e => e.Release(), endpoint, preferLocal: false);
        }
    }

    /// <summary>Owns one acquired part in <paramref name="endpoint"/>.</summary>
    public static HttpExchange Begin(EndpointState endpoint)
    {
        if (Pool.TryDequeue(out var exchange))
        {
            Interlocked.Decrement(ref _pooled);
        }
        else
        {
            exchange = new HttpExchange();
        }

        exchange._endpoint = endpoint;
        return exchange;
    }

    /// <summary>Ends the exchange; the caller must not touch it afterwards.</summary>
    public void End()
    {
        var endpoint = _endpoint;
        _endpoint = null;
        endpoint?.Release();
        if (Interlocked.Increment(ref _pooled) <= MaxPooled)
        {
            Pool.Enqueue(this);
        }
        else
        {
            Interlocked.Decrement(ref _pooled);
            GC.SuppressFinalize(this);
        }
    }
}
