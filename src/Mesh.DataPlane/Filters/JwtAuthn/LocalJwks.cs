using Mesh.Xds.Jwt;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>Keys that came with the configuration.</summary>
internal sealed class LocalJwks(JsonWebKeySet keys) : IJwksSource
{
    public ValueTask<(JwtStatus Status, JsonWebKeySet? Keys)> GetAsync(FilterServices services, CancellationToken cancellationToken) => new((JwtStatus.Ok, keys));
}
