using System.Collections.Concurrent;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>The keys that the listeners of a process fetch, each set once. They are dropped with the last listener that names them.</summary>
internal sealed class RemoteJwksDirectory(FilterServices services)
{
    private readonly ConcurrentDictionary<RemoteJwksSettings, RemoteJwks> _known = new();
    private readonly Lock _sync = new();

    public IEnumerable<RemoteJwks> All => _known.Values;

    /// <summary>The keys; <see langword="null"/> when no listener names them.</summary>
    public RemoteJwks? Find(RemoteJwksSettings settings) => _known.GetValueOrDefault(settings);

    public RemoteJwks Acquire(RemoteJwksSettings settings)
    {
        RemoteJwks? jwks;
        lock (_sync)
        {
            if (_known.TryGetValue(settings, out jwks))
            {
                jwks.References++;
                return jwks;
            }

            _known[settings] = jwks = new RemoteJwks(settings, services) { References = 1 };
        }

        jwks.Start();
        return jwks;
    }

    public void Release(RemoteJwksSettings settings, RemoteJwks jwks)
    {
        lock (_sync)
        {
            if (--jwks.References == 0)
            {
                _known.TryRemove(settings, out _);
                jwks.Dispose();
            }
        }
    }
}
