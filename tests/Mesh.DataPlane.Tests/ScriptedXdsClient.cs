using Envoy.Service.LoadStats.V3;
using Google.Protobuf;
using Mesh.DataPlane.Outbound;
using Mesh.Xds.Ads;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tests;

/// <summary>A control plane of one process that says what a test tells it to: the engine sees what the ADS client would show it.</summary>
internal sealed class ScriptedXdsClient : IXdsClient
{
    private readonly Dictionary<(string TypeUrl, string Name), object> _resources = [];
    private readonly Dictionary<(string TypeUrl, string Name), (ByteString Body, string Version)> _bodies = [];
    private readonly Dictionary<(string TypeUrl, string Name), ResourceError> _errors = [];
    private readonly List<Subscription> _subscriptions = [];
    private readonly Lock _gate = new();
    private int _version;

    public ScriptedXdsClient()
        => _errors[(TypeUrls.Listener, OutboundPolicy.ListenerName)] = new ResourceError(ResourceErrorKind.DoesNotExist, "does not exist");

    public event Action? ResponseDelivered;

    /// <summary>What is asked for; the outbound policy, of which the server has none unless a test says so, is asked for always.</summary>
    public IReadOnlyList<(string TypeUrl, string Name)> Watched
    {
        get
        {
            lock (_gate)
            {
                return [.. _subscriptions.Where(s => s.Name != OutboundPolicy.ListenerName).Select(s => (s.TypeUrl, s.Name))];
            }
        }
    }

    /// <summary>Whether it poses as a server of the incremental variant that can be reached.</summary>
    public bool AnswersEveryName { get; set; }

    public Envoy.Config.Core.V3.Node Node { get; } = new() { Id = "scripted" };

    public string? ControlPlane { get; set; }

    public long StreamsOpened { get; set; } = 1;

    /// <summary>Who takes load reports.</summary>
    public Func<CancellationToken, ValueTask<IAdsCall<LoadStatsRequest, LoadStatsResponse>>>? LoadStreams { get; set; }

    public ValueTask<IAdsCall<LoadStatsRequest, LoadStatsResponse>> OpenLoadStreamAsync(CancellationToken cancellationToken)
        => LoadStreams?.Invoke(cancellationToken) ?? throw new Mesh.Xds.Grpc.RpcException(Mesh.Xds.Grpc.StatusCode.Unimplemented, "no load is reported here");

    /// <summary>Whatever the client waits for has come.</summary>
    public void Deliver() => ResponseDelivered?.Invoke();

    /// <summary>What was sent is in use, and was acknowledged.</summary>
    public XdsClientStatus Status
    {
        get
        {
            lock (_gate)
            {
                return new("scripted", true, null, [.. _bodies.Select(b => new XdsResourceStatus(b.Key.TypeUrl, b.Key.Name, "ACKED", b.Value.Version, null, null) { Body = b.Value.Body })]);
            }
        }
    }

    public void Set<T>(ResourceType<T> type, IMessage message)
        where T : class
    {
        var body = message.ToByteString();
        var resource = type.Decode(body, out var name);
        string version;
        lock (_gate)
        {
            _errors.Remove((type.TypeUrl, name));
            _resources[(type.TypeUrl, name)] = resource;
            version = (++_version).ToString();
            _bodies[(type.TypeUrl, name)] = (body, version);
        }

        foreach (var subscription in Of(type.TypeUrl, name))
        {
            subscription.Changed(resource, version);
        }

        ResponseDelivered?.Invoke();
    }

    public void Remove(ResourceType type, string name) => Fail(type, name, ResourceErrorKind.DoesNotExist, "does not exist");

    /// <summary>Leaves a name unanswered that nobody has asked for yet.</summary>
    public void Forget(ResourceType type, string name)
    {
        lock (_gate)
        {
            _resources.Remove((type.TypeUrl, name));
            _bodies.Remove((type.TypeUrl, name));
            _errors.Remove((type.TypeUrl, name));
        }
    }

    public void Fail(ResourceType type, string name, ResourceErrorKind kind, string message)
    {
        var error = new ResourceError(kind, message);
        lock (_gate)
        {
            _resources.Remove((type.TypeUrl, name));
            _bodies.Remove((type.TypeUrl, name));
            _errors[(type.TypeUrl, name)] = error;
        }

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
            Unsubscribe);
        object? resource;
        ResourceError? error;
        string version;
        lock (_gate)
        {
            _subscriptions.Add(subscription);
            _resources.TryGetValue((type.TypeUrl, name), out resource);
            _errors.TryGetValue((type.TypeUrl, name), out error);
            version = _version.ToString();
        }

        // Outside the lock: the watchers take the engine's, whose owner may be about to watch something here.
        if (resource is not null)
        {
            subscription.Changed(resource, version);
        }
        else if (error is not null)
        {
            subscription.Failed(error);
        }

        return subscription;
    }

    public void ReportHealth(bool healthy, string? message = null) => throw new NotSupportedException();

    public void UpdateNode(Action<Envoy.Config.Core.V3.Node> change) => change(Node);

    public Task WhenDrainedAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Subscription[] Of(string typeUrl, string name)
    {
        lock (_gate)
        {
            return [.. _subscriptions.Where(s => s.TypeUrl == typeUrl && s.Name == name)];
        }
    }

    private void Unsubscribe(Subscription subscription)
    {
        lock (_gate)
        {
            _subscriptions.Remove(subscription);
        }
    }

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
