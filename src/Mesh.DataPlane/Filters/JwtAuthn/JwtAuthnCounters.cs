using Mesh.Xds.Metrics;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>What the tokens of one connection manager's requests were worth.</summary>
internal sealed class JwtAuthnCounters(in FilterBinding binding)
{
    /// <summary>Requests that brought what their rule asks for, or had nothing to bring.</summary>
    public CounterCell Allowed { get; } = binding.Counter("jwt_authn_allowed", "Requests that brought the token that was asked for, or had to bring none.");

    /// <summary>Requests that did not.</summary>
    public CounterCell Denied { get; } = binding.Counter("jwt_authn_denied", "Requests that were refused for their token, or for want of one.");

    /// <summary>Preflight requests, of which nothing is asked.</summary>
    public CounterCell PreflightBypassed { get; } = binding.Counter("jwt_authn_cors_preflight_bypassed", "Preflight requests, which carry no token.");

    /// <summary>Tokens that had been verified before.</summary>
    public CounterCell CacheHit { get; } = binding.Counter("jwt_authn_jwt_cache_hit", "Tokens whose signature had been verified before.");

    /// <summary>Tokens that had not.</summary>
    public CounterCell CacheMiss { get; } = binding.Counter("jwt_authn_jwt_cache_miss", "Tokens whose signature had not been verified before.");
}
