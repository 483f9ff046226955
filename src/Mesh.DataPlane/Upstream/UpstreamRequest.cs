using Mesh.DataPlane.CircuitBreakers;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.LoadBalancing.Orca;
using Mesh.DataPlane.LoadReporting;
using Mesh.DataPlane.OutlierDetection;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Telemetry;
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
    private EndpointLoad? _load;
    private LoadCount _outcome;
    private bool _outcomeInTrailers;

    private UpstreamRequest()
    {
    }

    ~UpstreamRequest()
    {
        // The last release closes a retired endpoint's pool, which takes locks and may throw: nothing for the finalizer's thread.
        if (_endpoint is not null || Record is not null)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static lost => lost.Release(), this, preferLocal: false);
        }
    }

    /// <summary>What signals are made of the request whose response this is; it ends with it.</summary>
    public RequestRecord? Record { get; private set; }

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

    /// <summary>Owns a record alone: the request went to no endpoint of the mesh.</summary>
    public static UpstreamRequest Begin(RequestRecord record)
    {
        var upstream = Begin((EndpointState)null!);
        upstream.Record = record;
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

    public void Tell(RequestRecord record) => Record = record;

    /// <summary>It goes out, and is counted until it ends.</summary>
    public void Count(EndpointLoad load)
    {
        _load = load;
        _outcome = LoadCount.Abandoned;
        load.Count(LoadCount.Issued);
    }

    /// <summary>There is no response.</summary>
    /// <param name="isHostToBlame">It is not the caller who has given up, or has sent what cannot be sent.</param>
    public void Fail(bool isHostToBlame) => _outcome = isHostToBlame ? LoadCount.Failed : LoadCount.Abandoned;

    /// <summary>Takes note of the outcome, and reads the load report that the endpoint gives with its response, be it in the trailers.</summary>
    public void Observe(HttpResponseMessage response, bool isGrpc)
    {
        // As in Envoy: the status decides, and a gRPC status that stands for one of a server's failure.
        var status = (int)response.StatusCode;
        if (isGrpc && status == 200)
        {
            var told = GrpcOutcome.ReadHttpStatus(response);
            _outcomeInTrailers = told is null;
            status = told ?? status;
        }

        _outcome = status < 500 ? LoadCount.Succeeded : LoadCount.Failed;
        if (_endpoint?.ReportedWeight is { } reports)
        {
            reports.Observe(response.Headers);
            _reports = reports;
        }

        if (_load?.Orca is { } orca)
        {
            orca.Observe(response.Headers);
        }

        if (_reports is not null || _outcomeInTrailers || _load?.Orca is not null)
        {
            _response = response;
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
        if (_response is { } response)
        {
            ObserveTrailers(response);
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

    private void ObserveTrailers(HttpResponseMessage response)
    {
        _reports?.Observe(response.TrailingHeaders);
        _load?.Orca?.Observe(response.TrailingHeaders);
        if (_outcomeInTrailers)
        {
            // Without trailers it has not come to its end: the upstream has broken off, or the caller.
            _outcome = GrpcOutcome.ReadHttpStatus(response.TrailingHeaders) switch
            {
                null => Record?.Flags is ['U', ..] ? LoadCount.Failed : LoadCount.Abandoned,
                < 500 => LoadCount.Succeeded,
                _ => LoadCount.Failed,
            };
            _outcomeInTrailers = false;
        }

        (_reports, _response) = (null, null);
    }

    private void Release(bool reuseClock = false)
    {
        if (_load is { } load)
        {
            _load = null;
            load.Count(_outcome);
        }

        EndClock(reuseClock);
        if (Record is { } record)
        {
            Record = null;
            record.Release();
        }

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
