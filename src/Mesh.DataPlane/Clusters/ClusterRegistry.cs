using System.Collections.Concurrent;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.LoadReporting;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tls;
using Mesh.DataPlane.Transports;
using Mesh.Xds.Client;
using Microsoft.Extensions.Logging;

namespace Mesh.DataPlane.Clusters;

/// <summary>The clusters that some route uses, each watched once. Belongs to the configuration path: requests hold cluster objects and never come here.</summary>
internal sealed class ClusterRegistry(IXdsClient client, IEndpointTransportFactory transports, DnsDiscovery dns, IRandomSource random, TimeProvider time, ResourceNotes notes, ILogger logger, Lock sync)
{
    // Written with the lock held, read without.
    private readonly ConcurrentDictionary<string, ClusterSubscription> _subscriptions = new(StringComparer.Ordinal);

    /// <summary>A cluster became answered; called with the lock held.</summary>
    public event Action? Answered;

    /// <summary>The clusters that stand for what is outside of the mesh: they are counted whether or not the control plane names them.</summary>
    public OutsideClusters OutsideClusters { get; } = new();

    /// <summary>What the clusters are asked, for reports of load.</summary>
    public LoadStore Loads { get; } = new(time);

    /// <summary>Where the secrets of clusters are; those of the control plane alone when nobody told.</summary>
    public SecretSources Secrets { get; init; } = new(client, () => null, time, Timeout.InfiniteTimeSpan);

    /// <summary>Where this process runs, as <c>region/zone/sub-zone</c>; <see langword="null"/> when nobody told.</summary>
    public string? Locality { get; init; }

    public IReadOnlyList<ClusterSubscription> All
    {
        get
        {
            lock (sync)
            {
                return [.. _subscriptions.Values];
            }
        }
    }

    /// <summary>Whether the control plane has said all it has to say of a cluster: policy and endpoints, or that they do not exist.</summary>
    public bool IsAnswered(Cluster cluster) => cluster.Current.Status != ClusterStatus.Pending;

    /// <summary>A cluster that somebody takes part in; the caller does not, and may lose it at any moment. Needs no lock.</summary>
    public Cluster? Find(string name) => _subscriptions.TryGetValue(name, out var subscription) ? subscription.Cluster : null;

    /// <summary>Takes part in a cluster, watching it if nobody did; with the lock held.</summary>
    public Cluster Acquire(string name)
    {
        if (!_subscriptions.TryGetValue(name, out var subscription))
        {
            subscription = new ClusterSubscription(name, client, transports, dns, random, time, notes, logger, sync, () => Answered?.Invoke())
            {
                Cluster = new Cluster(name, OutsideClusters.StatsOf(name)) { Load = Loads.Acquire(name) },
                Locality = Locality,
                Secrets = Secrets,
                Loads = Loads,
            };
            _subscriptions[name] = subscription;
            subscription.Start();
        }

        subscription.References++;
        return subscription.Cluster;
    }

    /// <summary>Gives a cluster back; the last one out ends the watch and retires the endpoints. With the lock held.</summary>
    public void Release(Cluster cluster)
    {
        var subscription = _subscriptions[cluster.Name];
        if (--subscription.References == 0)
        {
            _subscriptions.TryRemove(cluster.Name, out _);
            subscription.Dispose();
            Loads.Release(cluster.Load);
        }
    }
}
