using Google.Protobuf;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tests;

/// <summary>A control plane of one process that says what a test tells it to: the engine sees what the ADS client would show it.</summary>
internal sealed class ScriptedXdsClient : IXdsClient
{
    private readonly Dictionary<(string TypeUrl, string Name), object> _resources = [];
    private readonly Dictionary<(string TypeUrl, string Name), ResourceError> _errors = [];
    private readonly List<Subscription> _subscriptions = [];
    private int _version;

    public event Action? ResponseDelivered;

    public IReadOnlyList<(string TypeUrl, string Name)> Watched => [.. _subscriptions.Select(s => (s.TypeUrl, s.Name))];

    public XdsClientStatus Status => new("scripted", true, null, []);

    public void Set<T>(ResourceType<T> type, IMessage message)
        where T : class
    {
        var resource = type.Decode(message.ToByteString(), out var name);
        _errors.Remove((type.TypeUrl, name));
        _resources[(type.TypeUrl, name)] = resource;
        _version++;
        foreach (var subscription in Of(type.TypeUrl, name))
        {
            subscription.Changed(resource, _version.ToString());
        }

        ResponseDelivered?.Invoke();
    }

    public void Remove(ResourceType type, string name) => Fail(type, name, ResourceErrorKind.DoesNotExist, "does not exist");

    public void Fail(ResourceType type, string name, ResourceErrorKind kind, string message)
    {
        _resources.Remove((type.TypeUrl, name));
        var error = new ResourceError(kind, message);
        _errors[(type.TypeUrl, name)] = error;
        foreach (var subscription in Of(type.TypeUrl, name))
        {
            subscription.Failed(error);
        }
    }

    public IDisposable Watch<T>(ResourceType<T> type, string name, IResourceWatcher<T> watcher)
        where T : class
    {
        var subscription = new Subscription(
            type.TypeUrl,
            name,
            (resource, version) => watcher.OnChanged(name, (T)resource, version),
            error => watcher.OnResourceError(name, error),
            s => _subscriptions.Remove(s));
        _subscriptions.Add(subscription);
        if (_resources.TryGetValue((type.TypeUrl, name), out var resource))
        {
            subscription.Changed(resource, _version.ToString());
        }
        else if (_errors.TryGetValue((type.TypeUrl, name), out var error))
        {
            subscription.Failed(error);
        }

        return subscription;
    }

    public void ReportHealth(bool healthy, string? message = null) => throw new NotSupportedException();

    public void UpdateNode(Action<Envoy.Config.Core.V3.Node> change) => throw new NotSupportedException();

    public Task WhenDrainedAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private IEnumerable<Subscription> Of(string typeUrl, string name) => _subscriptions.Where(s => s.TypeUrl == typeUrl && s.Name == name).ToArray();

    private sealed record Subscription(
        string TypeUrl,
        string Name,
        Action<object, string> Changed,
        Action<ResourceError> Failed,
        Action<Subscription> Unsubscribe) : IDisposable
    {
        public void Dispose() => Unsubscribe(this);
    }
}
