namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>The remote keys of one listener's filter: kept as long as it is, and waited for where they are fetched ahead.</summary>
internal sealed class JwksPreparation : IFilterPreparation
{
    private readonly FilterServices _services;
    private readonly (RemoteJwksSettings Settings, RemoteJwks Jwks)[] _held;

    public JwksPreparation(IEnumerable<RemoteJwksSettings> settings, FilterServices services, Action ready)
    {
        _services = services;
        _held = [.. settings.Distinct().Select(s => (s, services.RemoteJwks.Acquire(s)))];
        foreach (var (_, jwks) in _held.Where(h => h.Settings.HoldsListener))
        {
            jwks.OnFetched(ready);
        }
    }

    public bool IsReady => Array.TrueForAll(_held, h => !h.Settings.HoldsListener || h.Jwks.HasBeenFetched);

    public void Dispose()
    {
        foreach (var (settings, jwks) in _held)
        {
            _services.RemoteJwks.Release(settings, jwks);
        }
    }
}
