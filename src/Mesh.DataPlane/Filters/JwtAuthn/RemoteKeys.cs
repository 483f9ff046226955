using Mesh.Xds.Jwt;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>A provider's keys that are elsewhere. Other listeners and newer configurations that say the same have the same.</summary>
internal sealed class RemoteKeys(RemoteJwksSettings settings) : IJwksSource
{
    private RemoteJwks? _jwks;

    public RemoteJwksSettings Settings { get; } = settings;

    public ValueTask<(JwtStatus Status, JsonWebKeySet? Keys)> GetAsync(FilterServices services, CancellationToken cancellationToken)
    {
        var jwks = Volatile.Read(ref _jwks);
        if (jwks is null || jwks.References == 0)
        {
            // Requests of a listener that has gone get some of their own.
            _jwks = jwks = services.RemoteJwks.Find(Settings) ?? jwks ?? new RemoteJwks(Settings, services);
        }

        return jwks.GetAsync(services, cancellationToken);
    }
}
