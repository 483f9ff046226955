using Mesh.DataPlane.Identity;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tls;

/// <summary>Where secrets are: in the process itself, and at the control plane.</summary>
/// <param name="client">The control plane.</param>
/// <param name="identity">The process's own; gives <see langword="null"/> when it has none.</param>
/// <param name="time">The clock.</param>
/// <param name="patience">How long the process's own may take until what needs them counts as answered.</param>
internal sealed class SecretSources(IXdsClient client, Func<ISecretSource?> identity, TimeProvider time, TimeSpan patience)
{
    public TimeProvider Time => time;

    public TimeSpan Patience => patience;

    public bool HasIdentity => identity() is not null;

    /// <returns><see langword="null"/> where there is nothing to wait for.</returns>
    public IDisposable? Watch(SecretReference secret, IResourceWatcher<SecretResource> watcher)
        => secret.IsOwn ? identity()?.Watch(secret.Name, watcher) : client.Watch(SecretType.Instance, secret.Name, watcher);
}
