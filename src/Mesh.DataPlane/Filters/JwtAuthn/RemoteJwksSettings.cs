using Mesh.DataPlane.Retry;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>Where keys are fetched, and how often (<c>RemoteJwks</c>): the same keys for whoever says the same.</summary>
/// <param name="Uri">What is fetched.</param>
/// <param name="Cluster">Where from.</param>
/// <param name="Timeout">How long one fetch may take, over all attempts.</param>
/// <param name="CacheDuration">How long what was fetched is good.</param>
internal sealed record RemoteJwksSettings(Uri Uri, string Cluster, TimeSpan Timeout, TimeSpan CacheDuration)
{
    /// <summary>Keys are fetched before anybody asks (<c>async_fetch</c>).</summary>
    public bool FetchesAhead { get; init; }

    /// <summary>The listener waits for the first of these fetches (not <c>fast_listener</c>).</summary>
    public bool HoldsListener { get; init; }

    /// <summary>How long after a fetch that failed the next one begins, where keys are fetched ahead.</summary>
    public TimeSpan FailedRefetch { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Attempts after the first; 0 for none.</summary>
    public uint NumRetries { get; init; }

    public RetryOn RetryOn { get; init; }

    public BackOff BackOff { get; init; } = BackOff.Default;
}
