using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Retry;

/// <summary>When and how often a route tries again.</summary>
internal sealed record RetryPolicy
{
    /// <summary>For a request that asks for retries by its headers on a route that has no policy.</summary>
    public static RetryPolicy ByHeadersOnly { get; } = new();

    public RetryOn On { get; init; }

    /// <summary>Envoy's <c>num_retries</c>: attempts after the first; 1 when unset.</summary>
    public uint NumRetries { get; init; } = 1;

    /// <summary>How long one try may take until its response begins; zero is none.</summary>
    public TimeSpan PerTryTimeout { get; init; }

    /// <summary>How long nothing may move in one try; zero is none.</summary>
    public TimeSpan PerTryIdleTimeout { get; init; }

    public uint[] StatusCodes { get; init; } = [];

    /// <summary>Response headers that call for a retry; any of them.</summary>
    public HeaderMatcher[] ResponseHeaders { get; init; } = [];

    /// <summary>Request headers without any of which nothing is retried.</summary>
    public HeaderMatcher[] RequestHeaders { get; init; } = [];

    public BackOff BackOff { get; init; } = BackOff.Default;

    public RateLimitedBackOff? RateLimitedBackOff { get; init; }

    /// <summary>A retry passes over the hosts of earlier attempts (<c>previous_hosts</c>), as long as selecting anew is allowed.</summary>
    public bool AvoidsPreviousHosts { get; init; }

    /// <summary>Envoy's <c>host_selection_retry_max_attempts</c>: how often a host to be passed over is selected anew; 1 when unset.</summary>
    public uint HostSelectionRetries { get; init; } = 1;

    /// <summary>After how many attempts the priorities tried so far are left out; zero is never (<c>previous_priorities</c>).</summary>
    public uint PreviousPrioritiesUpdateFrequency { get; init; }
}
