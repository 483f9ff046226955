namespace Mesh.DataPlane.Filters.LocalRateLimit;

/// <summary>What a request is counted under: the keys and values that the actions of one rate limit have found.</summary>
/// <param name="Entries">In the order of the actions.</param>
/// <param name="Hits">How many tokens the request costs.</param>
/// <param name="ShowsHeaders">Whether <c>x-ratelimit-*</c> are sent for it; <see langword="null"/> when the filter decides.</param>
internal readonly record struct RateLimitDescriptor(List<(string Key, string Value)> Entries, ulong Hits, bool? ShowsHeaders);
