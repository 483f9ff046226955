namespace Mesh.Xds.Client;

/// <summary>One watcher of one name.</summary>
internal sealed class ResourceWatch<T>(ResourceType<T> type, string name, IResourceWatcher<T> watcher, Action<ResourceWatch> onDispose)
    : ResourceWatch(type, name, onDispose)
    where T : class
{
    public override void OnChanged(string name, object resource, string version) => watcher.OnChanged(name, (T)resource, version);

    public override void OnResourceError(string name, ResourceError error) => watcher.OnResourceError(name, error);

    public override void OnAmbientError(string name, ResourceError error) => watcher.OnAmbientError(name, error);

    public override void OnRecovered(string name) => watcher.OnRecovered(name);
}
