using Mesh.Xds.Jwt;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>Where the keys of a provider come from.</summary>
internal interface IJwksSource
{
    /// <returns>The keys, or why there are none.</returns>
    ValueTask<(JwtStatus Status, JsonWebKeySet? Keys)> GetAsync(FilterServices services, CancellationToken cancellationToken);
}
