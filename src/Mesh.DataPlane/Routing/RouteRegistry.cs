using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Routing;

/// <summary>The route configurations that some listener uses, each watched and compiled once however many listeners share it.</summary>
internal sealed class RouteRegistry
{
    private readonly Dictionary<string, RouteSubscription> _named = new(StringComparer.Ordinal);
    private readonly Dictionary<RouteSubscription, List<Action<RouteSubscription>>> _listeners = [];
    private readonly IXdsClient _client;
    private readonly ClusterRegistry _clusters;
    private readonly ResourceNotes _notes;
    private readonly RouteConfigurationType _type;
    private readonly TimeProvider _time;
    private readonly TimeSpan _fetchTimeout;
    private readonly Lock _sync;

    public RouteRegistry(
        IXdsClient client,
        RouteConfigurationType type,
        ClusterRegistry clusters,
        ResourceNotes notes,
        TimeProvider time,
        TimeSpan fetchTimeout,
        Lock sync)
    {
        (_client, _type, _clusters, _notes, _time, _fetchTimeout, _sync) = (client, type, clusters, notes, time, fetchTimeout, sync);
        clusters.Answered += PublishAnswered;
    }

    /// <summary>A table went into force, or a subscription ended; called with the lock held.</summary>
    public event Action? Changed;

    /// <summary>Tables that wait for clusters; for tests and status.</summary>
    public int HeldBack
    {
        get
        {
            lock (_sync)
            {
                return _listeners.Keys.Count(s => s.IsHeldBack);
            }
        }
    }

    public RouteSubscription Acquire(string name, Action<RouteSubscription> changed)
    {
        if (!_named.TryGetValue(name, out var subscription))
        {
            subscription = Create(name);
            _named.Add(name, subscription);
            _listeners[subscription].Add(changed);
            subscription.References++;
            subscription.Start();
            return subscription;
        }

        _listeners[subscription].Add(changed);
        subscription.References++;
        return subscription;
    }

    public RouteSubscription AcquireInline(Action<RouteSubscription> changed)
    {
        var subscription = Create(null);
        _listeners[subscription].Add(changed);
        subscription.References++;
        return subscription;
    }

    public void Release(RouteSubscription subscription, Action<RouteSubscription> changed)
    {
        _listeners[subscription].Remove(changed);
        if (--subscription.References == 0)
        {
            if (subscription.Name is { } name)
            {
                _named.Remove(name);
            }

            _listeners.Remove(subscription);
            subscription.Dispose();
            Changed?.Invoke();
        }
    }

    private RouteSubscription Create(string? name)
    {
        var subscription = new RouteSubscription(name, _client, _type, _clusters, _notes, _time, _fetchTimeout, _sync, OnChanged);
        _listeners.Add(subscription, []);
        return subscription;
    }

    private void OnChanged(RouteSubscription subscription)
    {
        if (_listeners.TryGetValue(subscription, out var listeners))
        {
            foreach (var listener in listeners.ToArray())
            {
                listener(subscription);
            }
        }

        Changed?.Invoke();
    }

    private void PublishAnswered()
    {
        foreach (var subscription in _listeners.Keys.Where(s => s.IsHeldBack).ToArray())
        {
            subscription.PublishWhenAnswered();
        }
    }
}
