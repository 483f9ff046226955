namespace Mesh.Xds.Client;

/// <summary>One watcher of one name, without its type parameter.</summary>
internal abstract class ResourceWatch(ResourceType type, string name, Action<ResourceWatch> onDispose) : IDisposable
{
    private int _disposed;

    public ResourceType Type { get; } = type;

    public string Name { get; } = name;

    /// <summary>Disposed watches get no more calls, not even those already queued.</summary>
    public bool IsDisposed => Volatile.Read(ref _disposed) != 0;

    public abstract void OnChanged(string name, object resource, string version);

    public abstract void OnResourceError(string name, ResourceError error);

    public abstract void OnAmbientError(string name, ResourceError error);

    public abstract void OnRecovered(string name);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            onDispose(this);
        }
    }
}
