using Mesh.DataPlane.Retry;

namespace Mesh.DataPlane.Clusters;

/// <summary>What a cluster says of every request that goes to it (<c>HttpProtocolOptions</c>).</summary>
internal sealed record ClusterRequestPolicy
{
    /// <summary>Takes the place of the routes' policies altogether; <see langword="null"/> leaves it to them.</summary>
    public RetryPolicy? Retry { get; init; }

    /// <summary><c>max_stream_duration</c>: from the beginning of one try to the end of its response; zero is none.</summary>
    public TimeSpan MaxStreamDuration { get; init; }
}
