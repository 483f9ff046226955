using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Clusters;

/// <summary>What has become of a cluster's requests, by Envoy's names. Counted with each request, by every processor for itself.</summary>
internal sealed class ClusterRequestCounts
{
    private const int Attempted = 0;
    private const int Retried = 1;
    private const int RetriedWell = 2;
    private const int RetriedInVain = 3;
    private const int TimedOut = 4;
    private const int Cancelled = 5;
    private const int Reset = 6;
    private const int Classes = 7;

    private Stripes _counts = new(Classes + 6);

    /// <summary><c>upstream_rq_total</c>: every attempt.</summary>
    public long Total => _counts.Sum(Attempted);

    /// <summary><c>upstream_rq_retry</c>.</summary>
    public long Retries => _counts.Sum(Retried);

    /// <summary><c>upstream_rq_retry_success</c>.</summary>
    public long RetrySuccesses => _counts.Sum(RetriedWell);

    /// <summary><c>upstream_rq_retry_limit_exceeded</c>.</summary>
    public long RetryLimitsExceeded => _counts.Sum(RetriedInVain);

    /// <summary><c>upstream_rq_timeout</c>.</summary>
    public long Timeouts => _counts.Sum(TimedOut);

    /// <summary><c>upstream_rq_cancelled</c>: the caller left.</summary>
    public long Cancellations => _counts.Sum(Cancelled);

    /// <summary><c>upstream_rq_rx_reset</c>.</summary>
    public long Resets => _counts.Sum(Reset);

    /// <summary><c>upstream_rq_completed</c>.</summary>
    public long Completed => Of(1) + Of(2) + Of(3) + Of(4) + Of(5);

    /// <summary><c>upstream_rq_2xx</c> and its like.</summary>
    /// <param name="class">From 1 to 5.</param>
    public long Of(int @class) => _counts.Sum(Classes + @class);

    /// <summary>Counts a request that is over.</summary>
    public void Add(int attempts, int status, string flags)
    {
        var stripe = Stripes.Here;
        _counts.Add(Attempted, attempts, stripe);
        if (status is >= 100 and < 600)
        {
            _counts.Add(Classes + (status / 100), 1, stripe);
        }

        if (attempts > 1)
        {
            _counts.Add(Retried, attempts - 1, stripe);
            if (status is > 0 and < 500)
            {
                _counts.Add(RetriedWell, 1, stripe);
            }
        }

        if (flags.Length > 0)
        {
            AddFlags(flags, stripe);
        }
    }

    private void AddFlags(string flags, int stripe)
    {
        foreach (var range in flags.AsSpan().Split(','))
        {
            var place = flags.AsSpan()[range] switch
            {
                "URX" => RetriedInVain,
                "UT" => TimedOut,
                "DC" => Cancelled,
                "UR" => Reset,
                _ => -1,
            };
            if (place >= 0)
            {
                _counts.Add(place, 1, stripe);
            }
        }
    }
}
