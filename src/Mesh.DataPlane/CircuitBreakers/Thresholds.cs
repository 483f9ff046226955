namespace Mesh.DataPlane.CircuitBreakers;

/// <summary>The limits of one priority of a cluster, Envoy's <c>CircuitBreakers.Thresholds</c>; what is unset is Envoy's default.</summary>
internal sealed record Thresholds
{
    public static Thresholds Default { get; } = new();

    /// <summary>HTTP/1.1 requests that have a connection each; further ones wait. The default is 1024.</summary>
    public uint MaxConnections { get; init; } = 1024;

    /// <summary>Requests that wait for a connection; further ones overflow. The default is 1024.</summary>
    public uint MaxPendingRequests { get; init; } = 1024;

    /// <summary>Requests of any version of HTTP that are on their way; further ones overflow. The default is 1024.</summary>
    public uint MaxRequests { get; init; } = 1024;

    /// <summary>Retries that are on their way or in back-off, unless there is a <see cref="RetryBudget"/>. The default is 3.</summary>
    public uint MaxRetries { get; init; } = 3;

    /// <summary>Limits retries by the number of requests instead of by <see cref="MaxRetries"/>.</summary>
    public RetryBudget? RetryBudget { get; init; }

    /// <summary>As <see cref="MaxConnections"/>, to each host; unlimited by default.</summary>
    public uint MaxConnectionsPerHost { get; init; } = uint.MaxValue;

    /// <summary>As <see cref="MaxRequests"/>, to each host; unlimited by default.</summary>
    public uint MaxRequestsPerHost { get; init; } = uint.MaxValue;

    /// <summary>Tell how much is left of each limit (Envoy's <c>track_remaining</c>).</summary>
    public bool TrackRemaining { get; init; }
}
