using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing.Orca;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Timeouts;

namespace Mesh.DataPlane.Upstream;

/// <summary>
/// One attempt that takes part in an endpoint, from the pick to the end of its response. Pooled; whoever owns it ends it exactly once, and when
/// the owner is lost (a response that nobody reads or disposes) the finalizer does: it sits here, on the pooled object, so that the ordinary
/// request does not pay for a finalizable allocation.
/// </summary>
internal sealed class UpstreamRequest
{
    private const int MaxPooled = 64;

    // A thread keeps its own: beginning and ending one meets no other thread.
    [ThreadStatic]
    private static UpstreamRequest?[]? _pool;

    [ThreadStatic]
    private static int _pooled;

    private EndpointState? _endpoint;
    private OutgoingBody? _body;
    private CircuitBreaker? _breaker;
    private bool _multiplexed;
    private ReportedWeight? _reports;
    private HttpResponseMessage? _response;

    private UpstreamRequest()
    {
    }

    ~UpstreamRequest()
    {
        // The last release closes a retired endpoint's pool, which takes locks and may throw: nothing for the finalizer's thread.
        if (_endpoint is not null)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static lost => lost.Release(), this, preferLocal: false);
        }
    }

    /// <summary>The clock of the attempt, while one is needed.</summary>
    public RequestClock? Clock { get; private set; }

    /// <summary>Owns one acquired part in <paramref name="endpoint"/>.</summary>
    public static UpstreamRequest Begin(EndpointState endpoint)
    {
        UpstreamRequest upstream;
        if (_pooled > 0)
        {
            upstream = _pool![--_pooled]!;
            _pool[_pooled] = null;
        }
        else
        {
            upstream = new UpstreamRequest();
        }

        upstream._endpoint = endpoint;
        return upstream;
    }

    /// <summary>Owns the attempt's clock too, which <paramref name="body"/> starts when it has gone out.</summary>
    public void Use(RequestClock clock, OutgoingBody? body)
    {
        Clock = clock;
        _body = body;
        body?.Attach(clock);
    }

    /// <summary>Owns a permit of the cluster as well.</summary>
    public void Hold(CircuitBreaker breaker, bool multiplexed)
    {
        _breaker = breaker;
        _multiplexed = multiplexed;
    }

    /// <summary>Reads the load report that the endpoint gives with its response, be it in the trailers.</summary>
    public void Observe(HttpResponseMessage response)
    {
        if (_endpoint?.ReportedWeight is { } reports)
        {
            reports.Observe(response.Headers);
            (_reports, _response) = (reports, response);
        }
    }

    /// <summary>No deadline is left: what remains of the response may take as long as it likes.</summary>
    public void EndClock(bool reuse = true)
    {
        if (Clock is { } clock)
        {
            Clock = null;
            _body?.Attach(null);
            _body = null;
            clock.End(reuse);
        }
    }

    /// <summary>Ends the attempt; the caller must not touch it afterwards.</summary>
    /// <param name="reuseClock">Nobody else may still be looking at the clock.</param>
    public void End(bool reuseClock = true)
    {
        if (_reports is { } reports)
        {
            reports.Observe(_response!.TrailingHeaders);
            (_reports, _response) = (null, null);
        }

        Release(reuseClock);
        if (_pooled < MaxPooled)
        {
            (_pool ??= new UpstreamRequest?[MaxPooled])[_pooled++] = this;
        }
        else
        {
            GC.SuppressFinalize(this);
        }
    }

    private void Release(bool reuseClock = false)
    {
        EndClock(reuseClock);
        var endpoint = _endpoint;
        _endpoint = null;
        if (_breaker is { } breaker)
        {
            _breaker = null;
            breaker.Exit(endpoint!, _multiplexed);
        }

        endpoint?.Release();
    }
}
