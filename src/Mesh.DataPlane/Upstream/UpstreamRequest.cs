using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.Upstream;

/// <summary>
/// A request that takes part in an endpoint, from the pick to the end of its response. Pooled; whoever owns it ends it exactly once, and when
/// the owner is lost (a response that nobody reads or disposes) the finalizer does: it sits here, on the pooled object, so that the ordinary
/// request does not pay for a finalizable allocation.
/// </summary>
internal sealed class UpstreamRequest
{
    private const int MaxPooled = 64;

    // A thread keeps its own: beginning and ending an upstreamRequest meets no other thread.
    [ThreadStatic]
    private static UpstreamRequest?[]? _pool;

    [ThreadStatic]
    private static int _pooled;

    private EndpointState? _endpoint;

    private UpstreamRequest()
    {
    }

    ~UpstreamRequest()
    {
        // The last release closes a retired endpoint's pool, which takes locks and may throw: nothing for the finalizer's thread.
        if (_endpoint is { } endpoint)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static e => e.Release(), endpoint, preferLocal: false);
        }
    }

    /// <summary>Owns one acquired part in <paramref name="endpoint"/>.</summary>
    public static UpstreamRequest Begin(EndpointState endpoint)
    {
        UpstreamRequest upstreamRequest;
        if (_pooled > 0)
        {
            upstreamRequest = _pool![--_pooled]!;
            _pool[_pooled] = null;
        }
        else
        {
            upstreamRequest = new UpstreamRequest();
        }

        upstreamRequest._endpoint = endpoint;
        return upstreamRequest;
    }

    /// <summary>Ends the upstreamRequest; the caller must not touch it afterwards.</summary>
    public void End()
    {
        var endpoint = _endpoint;
        _endpoint = null;
        endpoint?.Release();
        if (_pooled < MaxPooled)
        {
            (_pool ??= new UpstreamRequest?[MaxPooled])[_pooled++] = this;
        }
        else
        {
            GC.SuppressFinalize(this);
        }
    }
}
