using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters.Cors;

/// <summary>One level's <c>CorsPolicy</c>, compiled. What is empty or <see langword="null"/> is left to the next level.</summary>
internal sealed record CorsPolicy(
    StringMatcher[] AllowOrigins,
    string AllowMethods,
    string AllowHeaders,
    string ExposeHeaders,
    string MaxAge,
    bool? AllowCredentials,
    bool? AllowPrivateNetworkAccess,
    bool? ForwardNotMatchingPreflights,
    Fraction Enabled,
    Fraction ShadowEnabled);
