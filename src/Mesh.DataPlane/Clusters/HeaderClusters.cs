using System.Collections.Concurrent;

namespace Mesh.DataPlane.Clusters;

/// <summary>Clusters that only a request header names: watched when first named, within bounds, since requests decide the names.</summary>
internal sealed class HeaderClusters(ClusterRegistry clusters, TimeProvider time, TimeSpan wait, Lock sync)
{
    private const int MaxClusters = 256;

    private readonly ConcurrentDictionary<string, Cluster> _known = new(StringComparer.Ordinal);

    /// <summary>The cluster if it has been named before and has been answered.</summary>
    public Cluster? Find(string name) => _known.TryGetValue(name, out var cluster) && cluster.Current.Status != ClusterStatus.Pending ? cluster : null;

    /// <summary>Watches the cluster and waits a little for the answer; <see langword="null"/> when too many have been named already.</summary>
    public async ValueTask<Cluster?> ResolveAsync(string name, CancellationToken cancellationToken)
    {
        Cluster cluster;
        lock (sync)
        {
            if (!_known.TryGetValue(name, out cluster!))
            {
                if (_known.Count >= MaxClusters && !EvictMissing())
                {
                    return null;
                }

                cluster = clusters.Acquire(name);
                _known[name] = cluster;
            }
        }

        try
        {
            await cluster.Answered.WaitAsync(wait, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Pending still: the caller treats it as not found.
        }

        return cluster;
    }

    private bool EvictMissing()
    {
        foreach (var (name, cluster) in _known)
        {
            if (cluster.Current.Status != ClusterStatus.Ready && _known.TryRemove(name, out _))
            {
                clusters.Release(cluster);
                return true;
            }
        }

        return false;
    }
}
