namespace Bookinfo.Reviews;

/// <summary>What the environment makes of the reviews service.</summary>
internal sealed class ReviewsSettings(IConfiguration configuration)
{
    /// <summary><c>ENABLE_RATINGS</c>: ask the ratings service at all.</summary>
    public bool RatingsEnabled { get; } = string.Equals(configuration["ENABLE_RATINGS"], "true", StringComparison.OrdinalIgnoreCase);

    /// <summary><c>STAR_COLOR</c>.</summary>
    public string StarColor { get; } = configuration["STAR_COLOR"] ?? "black";

    /// <summary><c>HOSTNAME</c>; unset is the word <c>null</c>.</summary>
    public string PodName { get; } = configuration["HOSTNAME"] ?? "null";

    /// <summary><c>CLUSTER_NAME</c>; unset is the word <c>null</c>, which the page hides.</summary>
    public string ClusterName { get; } = configuration["CLUSTER_NAME"] ?? "null";

    /// <summary>Black waits longer than productpage does: the bug that fault injection is to find.</summary>
    public TimeSpan RatingsTimeout => StarColor == "black" ? TimeSpan.FromSeconds(10) : TimeSpan.FromSeconds(2.5);
}
