using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.LoadBalancing;

namespace Mesh.DataPlane.Upstream;

/// <summary>What one attempt is given.</summary>
/// <remarks>Pooled: a request that needs one attempt needs one of these, which no frame copies.</remarks>
internal sealed record AttemptInput
{
    private const int MaxPooled = 32;

    [ThreadStatic]
    private static AttemptInput?[]? _pool;

    [ThreadStatic]
    private static int _pooled;

    /// <summary>Route and cluster, then the endpoint that the attempt has picked. A field, so that it is changed where it is.</summary>
    public Decision Decision;

    /// <summary>How it came out.</summary>
    public Attempt Result;

    public HostEntry Host { get; set; } = null!;

    /// <summary>The message to send: the caller's own, or for attempts side by side a copy.</summary>
    public HttpRequestMessage Request { get; set; } = null!;

    public PickContext Pick { get; set; }

    public AttemptPlan Plan { get; set; } = AttemptPlan.Once;

    /// <summary>Which attempt it is, from 1.</summary>
    public int Number { get; set; } = 1;

    /// <summary>Where earlier attempts left the clocks that span all of them.</summary>
    public AttemptClocks Clocks { get; set; } = AttemptClocks.None;

    /// <summary>The endpoints of earlier attempts, to be passed over.</summary>
    public IReadOnlyList<Clusters.EndpointState>? Previous { get; set; }

    /// <summary>A hedged attempt goes on after its per-try timeout, beside the next one.</summary>
    public bool IsHedged { get; set; }

    /// <summary>The attempt count that the caller's message came with, which is not passed on.</summary>
    public string? OwnAttemptCount { get; set; }

    /// <summary>The attempt before this one ran out of time.</summary>
    public bool FollowsTimeout { get; set; }

    /// <summary>Learns which endpoint was picked, as soon as it was.</summary>
    public Action<Clusters.EndpointState>? OnPicked { get; set; }

    /// <summary>The caller's body where it is watched: its end starts the clocks.</summary>
    public Retry.OutgoingBody? Body { get; set; }

    /// <summary>What the route has changed of the caller's message; <see langword="null"/> when it has changed nothing.</summary>
    public RequestEdit? Edit { get; set; }

    /// <summary>When the request was there; negative when nobody asks.</summary>
    public long Began { get; set; } = -1;

    /// <summary>What the caller's message says of expected timeouts itself, where attempts say something else.</summary>
    public string? OwnExpectedTimeout { get; set; }

    public string? OwnGrpcTimeout { get; set; }

    /// <summary>What is sent in place of the request, whose response was a redirect.</summary>
    public Redirects.InternalRedirect? Redirect { get; set; }

    /// <summary>The headers that tell of trace and request id; kept for the next request.</summary>
    public Telemetry.Tracing.InjectedHeaders? Injected { get; set; }

    /// <summary>What signals are made of; handed on with the response, and <see langword="null"/> from then on.</summary>
    public Telemetry.RequestRecord? Record { get; set; }

    /// <summary>What filters see of the request; <see langword="null"/> when there is none.</summary>
    public Filters.ClientExchange? Exchange { get; set; }

    /// <summary>Its copies, as long as they want for the body.</summary>
    public Mirroring.MirroredRequest? Mirrored { get; set; }

    /// <summary>What was done after a first failure.</summary>
    public Retry.RetriedRequest? Retried { get; set; }

    /// <summary>The <c>Set-Cookie</c> that the response has to carry.</summary>
    public string? SetCookie { get; set; }

    /// <summary>How often the routes have moved on below the request.</summary>
    public int Turn { get; set; }

    /// <summary>They have moved on again.</summary>
    public bool IsStale { get; set; }

    /// <summary>How often the request was sent.</summary>
    public int Attempts { get; set; } = 1;

    public static AttemptInput Rent()
    {
        if (_pooled == 0)
        {
            return new AttemptInput();
        }

        var input = _pool![--_pooled]!;
        _pool[_pooled] = null;
        return input;
    }

    /// <summary>Gives it to the next request; nobody may look at it afterwards.</summary>
    public void Return()
    {
        Decision = default;
        Result = default;
        Exchange = null;
        Record = null;
        Mirrored = null;
        Retried = null;
        SetCookie = null;
        Attempts = 1;
        Host = null!;
        Request = null!;
        Pick = default;
        Plan = AttemptPlan.Once;
        Number = 1;
        Clocks = AttemptClocks.None;
        Previous = null;
        IsHedged = FollowsTimeout = IsStale = false;
        Turn = 0;
        OnPicked = null;
        Body = null;
        Edit = null;
        Redirect = null;
        Began = -1;
        OwnExpectedTimeout = OwnGrpcTimeout = OwnAttemptCount = null;
        if (_pooled < MaxPooled)
        {
            (_pool ??= new AttemptInput?[MaxPooled])[_pooled++] = this;
        }
    }
}
