using Mesh;

namespace Bookinfo.Ratings;

/// <summary>What <c>SERVICE_VERSION</c> makes of a request: the versions that fail on purpose, to be cured by rules of the mesh.</summary>
internal sealed class RatingsBehaviour
{
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(7);
    private static readonly TimeSpan UnavailablePeriod = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan UnhealthyPeriod = TimeSpan.FromMinutes(15);

    private readonly string _version;
    private readonly TimeProvider _time;
    private readonly IRandomSource _random;
    private readonly long _started;

    public RatingsBehaviour(IConfiguration configuration, TimeProvider time, IRandomSource random)
    {
        _version = configuration["SERVICE_VERSION"] ?? "v1";
        _time = time;
        _random = random;
        _started = time.GetTimestamp();
    }

    /// <summary>v2 keeps its ratings in MongoDB or MySQL.</summary>
    public bool UsesDatabase => _version == "v2";

    public bool IsHealthy => _version != "v-unhealthy" || !IsOffPeriod(UnhealthyPeriod);

    public async ValueTask<RatingsOutcome> ActAsync(CancellationToken cancellation)
    {
        switch (_version)
        {
            case "v2":
                // No driver is part of this sample: the answer is the one that an unreachable database gives.
                return RatingsOutcome.NoDatabase;

            case "v-faulty":
                return IsHeads() ? RatingsOutcome.Unavailable : RatingsOutcome.Ratings;

            case "v-delayed":
                if (IsHeads())
                {
                    await Task.Delay(Delay, _time, cancellation);
                }

                return RatingsOutcome.Ratings;

            case "v-unavailable":
                return IsOffPeriod(UnavailablePeriod) ? RatingsOutcome.Unavailable : RatingsOutcome.Ratings;

            case "v-unhealthy":
                return IsOffPeriod(UnhealthyPeriod) ? RatingsOutcome.Unavailable : RatingsOutcome.Ratings;

            default:
                return RatingsOutcome.Ratings;
        }
    }

    private bool IsHeads() => (_random.NextUInt64() & 1) == 0;

    /// <summary>On for one period after the start, off for the next, and so on.</summary>
    private bool IsOffPeriod(TimeSpan period) => _time.GetElapsedTime(_started).Ticks / period.Ticks % 2 == 1;
}
