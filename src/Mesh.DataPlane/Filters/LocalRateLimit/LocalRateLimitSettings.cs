using Envoy.Extensions.Common.Ratelimit.V3;
using Mesh.DataPlane.Filters.HeaderMutation;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters.LocalRateLimit;

/// <summary>One level's <c>LocalRateLimit</c>, compiled, with its buckets: one set for each configuration and process.</summary>
internal sealed record LocalRateLimitSettings
{
    public required RateLimitBuckets Buckets { get; init; }

    /// <summary>By what it is known among metrics.</summary>
    public string StatPrefix { get; init; } = "";

    public required Fraction Enabled { get; init; }

    public required Fraction Enforced { get; init; }

    /// <summary>The status of the reply; anything but an error counts as 429.</summary>
    public int Status { get; init; }

    public HeaderAction[] ResponseHeaders { get; init; } = [];

    /// <summary>What a request that is over the limit carries on, when the limit is not enforced.</summary>
    public HeaderAction[] RequestHeaders { get; init; } = [];

    public uint Stage { get; init; }

    public VhRateLimitsOptions VirtualHostRateLimits { get; init; }

    /// <summary>Its own rules; where there are any, those of the route do not count.</summary>
    public RateLimitRule[] Rules { get; init; } = [];

    public bool ShowsHeaders { get; init; }

    /// <summary>gRPC callers get RESOURCE_EXHAUSTED in place of UNAVAILABLE.</summary>
    public bool AsResourceExhausted { get; init; }

    public bool DoesNothing => Buckets.IsEmpty || Enabled.Numerator == 0;
}
