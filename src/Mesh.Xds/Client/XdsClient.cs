using Envoy.Config.Core.V3;
using Envoy.Service.LoadStats.V3;
using Mesh.Xds.Ads;
using Mesh.Xds.Grpc;
using Microsoft.Extensions.Logging;

namespace Mesh.Xds.Client;

/// <summary>The ADS client. State changes and callbacks run on one serializer; the state itself is guarded so that <see cref="Status"/> may be read from anywhere.</summary>
internal sealed partial class XdsClient : IXdsClient, IDisposable
{
    private readonly IReadOnlyList<XdsServer> _servers;
    private readonly XdsClientOptions _options;
    private readonly SerialQueue _queue = new();
    private readonly Queue<Action> _followUps = [];
    private readonly Lock _gate = new();
    private readonly ResourceStore _store;
    private readonly List<XdsChannel> _channels = [];
    private readonly HashSet<ResourceTable> _changed = [];
    private readonly List<Task> _closing = [];
    private (bool Healthy, string Message)? _health;
    private TaskCompletionSource _drained = Completed();
    private string? _outage;
    private long _streamsOpened;
    private bool _disposed;

    /// <param name="servers">The servers in order of preference (gRFC A71); the client disposes their transports.</param>
    /// <param name="options">Everything else.</param>
    public XdsClient(IReadOnlyList<XdsServer> servers, XdsClientOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfZero(servers.Count);
        _servers = servers;
        _options = options;
        Node = options.Node.Clone();
        _store = new ResourceStore(options, Enqueue);
        _channels.Add(new XdsChannel(this, servers[0], 0, options));
    }

    public event Action? ResponseDelivered;

    public bool AnswersEveryName
    {
        get
        {
            lock (_gate)
            {
                return !_disposed && _channels.TrueForAll(c => c is { IsDelta: true, Failure: null });
            }
        }
    }

    public Node Node { get; private set; }

    public string? ControlPlane
    {
        get
        {
            lock (_gate)
            {
                return Connected?.ControlPlane;
            }
        }
    }

    public long StreamsOpened => Interlocked.Read(ref _streamsOpened);

    private XdsChannel? Connected => _channels.FirstOrDefault(c => c.IsConnected);

    public XdsClientStatus Status
    {
        get
        {
            lock (_gate)
            {
                var channel = Connected ?? _channels.FirstOrDefault();
                return new XdsClientStatus(
                    channel?.Server.Transport.Target ?? _servers[0].Transport.Target,
                    channel?.IsConnected ?? false,
                    _channels.FirstOrDefault()?.Failure,
                    [.. _store.Tables.SelectMany(t => t.Entries).Select(ToStatus)])
                {
                    Types = [.. _store.Tables.Select(t => t.Status)],
                    ControlPlane = channel?.ControlPlane,
                };
            }
        }
    }

    public IDisposable Watch<T>(ResourceType<T> type, string name, IResourceWatcher<T> watcher)
        where T : class
    {
        var watch = new ResourceWatch<T>(type, name, watcher, disposed => Enqueue(() => _changed.Add(_store.Remove(disposed))));
        Enqueue(() =>
        {
            _changed.Add(_store.Add(watch));
            if (_outage is not null && !FallBack() && _channels.All(c => c.Failure is not null))
            {
                _store.OnUnavailable(_outage);
            }
        });
        return watch;
    }

    public void ReportHealth(bool healthy, string? message = null) => Enqueue(() =>
    {
        _health = (healthy, message ?? "");
        if (healthy)
        {
            _drained.TrySetResult();
        }
        else
        {
            // Without a stream nobody can confirm anything.
            _drained.TrySetResult();
            _drained = _channels.Any(c => c.IsConnected) ? new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously) : Completed();
        }

        foreach (var channel in _channels)
        {
            channel.QueueHealthReport();
        }
    });

    public void UpdateNode(Action<Node> change) => Enqueue(() =>
    {
        var node = Node.Clone();
        change(node);
        Node = node;
        foreach (var channel in _channels)
        {
            channel.Replace();
        }
    });

    public ValueTask<IAdsCall<LoadStatsRequest, LoadStatsResponse>> OpenLoadStreamAsync(CancellationToken cancellationToken)
    {
        IAdsTransport? transport;
        lock (_gate)
        {
            transport = _disposed ? null : Connected?.Server.Transport;
        }

        return transport?.OpenLoadStreamAsync(cancellationToken) ?? throw new RpcException(StatusCode.Unavailable, $"{_options.Peer} is not connected");
    }

    public async Task WhenDrainedAsync(CancellationToken cancellationToken)
    {
        var drained = Task.CompletedTask;
        await EnqueueAsync(() => drained = _drained.Task).WaitAsync(cancellationToken);
        await drained.WaitAsync(cancellationToken);
    }

    /// <summary>For containers that are disposed synchronously: begins to close and does not wait.</summary>
    public void Dispose() => _ = DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        XdsChannel[] channels = [];
        await EnqueueAsync(() =>
        {
            channels = _disposed ? [] : [.. _channels];
            _disposed = true;
            _store.Stop();
            _drained.TrySetResult();
        });
        if (channels.Length == 0)
        {
            return;
        }

        await Task.WhenAll(channels.Select(c => c.CloseAsync()).Concat(_closing));
        foreach (var server in _servers)
        {
            await server.Transport.DisposeAsync();
        }
    }

    /// <summary>Changes the state on the serializer, then tells watchers and servers what follows. From within a callback: after that callback, before the ACK.</summary>
    internal void Enqueue(Action change)
    {
        if (_queue.IsCurrent)
        {
            _followUps.Enqueue(change);
        }
        else
        {
            _queue.Post(() => Process(change));
        }
    }

    /// <summary>As <see cref="Enqueue"/>, completing when it is done; not to be awaited on the serializer.</summary>
    internal Task EnqueueAsync(Action change)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue(() =>
        {
            try
            {
                change();
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task;
    }

    /// <summary>Applies a response; completes when every watcher has seen it and its ACK is queued.</summary>
    internal Task ReceiveAsync(XdsChannel channel, AdsStream stream, AdsUpdate update)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _queue.Post(() =>
        {
            try
            {
                Receive(channel, stream, update);
            }
            catch (Exception e)
            {
                Log.Unexpected(_options.Logger, e);
            }

            done.SetResult();
        });
        return done.Task;
    }

    internal object? BuildHealthReport(AdsStream stream) => _health is { } health ? stream.BuildHealthReport(health.Healthy, health.Message) : null;

    internal void StartResourceTimers(XdsChannel channel, IEnumerable<ResourceEntry> entries)
    {
        // A request may have been on its way when the timers were stopped for good.
        if (!_disposed)
        {
            _store.StartResourceTimers(channel, entries);
        }
    }

    internal void OnStreamOpened(XdsChannel channel)
    {
        Interlocked.Increment(ref _streamsOpened);
        _store.OnStreamOpened();
        foreach (var table in _store.Tables)
        {
            channel.QueueSubscription(table);
        }

        // After the subscriptions: istiod takes no health report for the first request of a stream.
        if (_health is not null)
        {
            channel.QueueHealthReport();
        }
    }

    internal void OnStreamClosed(XdsChannel channel, bool replaced, bool failed)
    {
        if (!_channels.Any(c => c.IsConnected))
        {
            _store.OnStreamClosed();
        }

        if (!replaced)
        {
            _drained.TrySetResult();
        }

        if (failed && !_disposed && !FallBack() && _channels.All(c => c.Failure is not null))
        {
            _outage = $"{_options.Peer} {channel.Server.Transport.Target} cannot be reached: {channel.Failure}";
            _store.OnUnavailable(_outage);
        }
    }

    private static TaskCompletionSource Completed()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }

    private static XdsResourceStatus ToStatus(ResourceEntry entry) => new(
        entry.Table.Type.TypeUrl,
        entry.Name,
        entry.State switch
        {
            ResourceState.Acked => "ACKED",
            ResourceState.Nacked => "NACKED",
            ResourceState.DoesNotExist => "DOES_NOT_EXIST",
            ResourceState.ReceivedError => "RECEIVED_ERROR",
            ResourceState.Timeout => "TIMEOUT",
            _ => "REQUESTED",
        },
        entry.Version,
        entry.Error?.Message,
        entry.LastUpdated)
    {
        Body = entry.Bytes,
        Rejected = entry.Rejected,
    };

    /// <summary>Turns to the next server if a watcher waits for a resource that those in use cannot give (gRFC A71), or if it serves the same.</summary>
    private bool FallBack()
    {
        if (_channels.Count >= _servers.Count || _channels[^1].Failure is null || (!_store.HasUncached && !_options.AreReplicas))
        {
            return false;
        }

        var next = new XdsChannel(this, _servers[_channels.Count], _channels.Count, _options);
        _channels.Add(next);
        Log.FallingBack(_options.Logger, _channels[^2].Server.Transport.Target, next.Server.Transport.Target);
        next.SetWanted(true);
        return true;
    }

    /// <summary>A server that answers makes those after it superfluous (gRFC A71).</summary>
    private void CloseLowerThan(XdsChannel channel)
    {
        while (_channels[^1].Priority > channel.Priority)
        {
            var superfluous = _channels[^1];
            _channels.RemoveAt(_channels.Count - 1);
            _closing.Add(superfluous.CloseAsync());
        }
    }

    private static partial class Log
    {
        [LoggerMessage(10, LogLevel.Warning, "The control plane {Server} sent version {Version} with resources that cannot be used; the last good ones stay: {Detail}")]
        public static partial void Refused(ILogger logger, string server, string version, string detail);

        [LoggerMessage(11, LogLevel.Warning, "The control plane {Server} sent resources of a type that nobody asked for, {TypeUrl}; ignored")]
        public static partial void UnknownType(ILogger logger, string server, string typeUrl);

        [LoggerMessage(12, LogLevel.Error, "A watcher of {Kind} {Name} failed")]
        public static partial void WatcherFailed(ILogger logger, Exception exception, string kind, string name);

        [LoggerMessage(13, LogLevel.Warning, "The control plane {Server} cannot be reached; falling back to {Fallback}")]
        public static partial void FallingBack(ILogger logger, string server, string fallback);

        [LoggerMessage(14, LogLevel.Critical, "The xDS client failed on a change; it continues with the next one")]
        public static partial void Unexpected(ILogger logger, Exception exception);
    }
}
