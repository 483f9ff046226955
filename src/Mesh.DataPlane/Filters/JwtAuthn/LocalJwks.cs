using Mesh.Xds.Jwt;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>Keys that came with the configuration.</summary>
/// <param name="keys">They; <see langword="null"/>: there are none, and no token is good.</param>
internal sealed class LocalJwks(JsonWebKeySet? keys) : IJwksSource
{
    public ValueTask<(JwtStatus Status, JsonWebKeySet? Keys)> GetAsync(FilterServices services, CancellationToken cancellationToken)
        => new((keys is null ? JwtStatus.NoValidKeys : JwtStatus.Ok, keys));
}
