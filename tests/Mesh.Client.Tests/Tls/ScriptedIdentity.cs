using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Tls;
using Mesh.Xds.Client;

namespace Mesh.Client.Tests.Tls;

/// <summary>A workload's identity that is what a test says.</summary>
internal sealed class ScriptedIdentity : ISecretSource
{
    private readonly Dictionary<string, SecretResource> _secrets = new(StringComparer.Ordinal);
    private readonly List<(string Name, IResourceWatcher<SecretResource> Watcher)> _watchers = [];
    private readonly Lock _sync = new();

    public IReadOnlyList<string> Watched
    {
        get
        {
            lock (_sync)
            {
                return [.. _watchers.Select(w => w.Name)];
            }
        }
    }

    public void Set(SecretResource secret)
    {
        List<IResourceWatcher<SecretResource>> watchers;
        lock (_sync)
        {
            _secrets[secret.Name] = secret;
            watchers = [.. _watchers.Where(w => w.Name == secret.Name).Select(w => w.Watcher)];
        }

        watchers.ForEach(w => w.OnChanged(secret.Name, secret, ""));
    }

    public IDisposable Watch(string name, IResourceWatcher<SecretResource> watcher)
    {
        SecretResource? now;
        lock (_sync)
        {
            _watchers.Add((name, watcher));
            now = _secrets.GetValueOrDefault(name);
        }

        if (now is not null)
        {
            watcher.OnChanged(name, now, "");
        }

        return new Watching(this, name, watcher);
    }

    private sealed class Watching(ScriptedIdentity owner, string name, IResourceWatcher<SecretResource> watcher) : IDisposable
    {
        public void Dispose()
        {
            lock (owner._sync)
            {
                owner._watchers.Remove((name, watcher));
            }
        }
    }
}
