using Mesh.DataPlane.Clusters;

namespace Mesh.DataPlane.Calls;

/// <summary>Clusters that are subscribed as long as somebody may call them. With the lock of the configuration held.</summary>
internal sealed class ClusterHold : IDisposable
{
    private readonly ClusterRegistry _registry;
    private readonly Cluster[] _clusters;
    private readonly Action _answered;
    private readonly Lock _sync;
    private ITimer? _timer;
    private bool _disposed;

    public ClusterHold(ClusterRegistry registry, IReadOnlyCollection<string> clusters, TimeProvider time, TimeSpan fetchTimeout, Lock sync, Action answered)
    {
        (_registry, _answered, _sync) = (registry, answered, sync);
        _clusters = [.. clusters.Distinct(StringComparer.Ordinal).Select(registry.Acquire)];
        if (!(IsAnswered = _clusters.All(registry.IsAnswered)))
        {
            _registry.Answered += OnAnswered;
            _timer = time.CreateTimer(static hold => ((ClusterHold)hold!).OnWaited(), this, fetchTimeout, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Every one has been answered, or has been waited for long enough.</summary>
    public bool IsAnswered { get; private set; }

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            StopWaiting();
            foreach (var cluster in _clusters)
            {
                _registry.Release(cluster);
            }
        }
    }

    private void OnAnswered()
    {
        if (!_disposed && !IsAnswered && _clusters.All(_registry.IsAnswered))
        {
            EndWait();
        }
    }

    private void OnWaited()
    {
        lock (_sync)
        {
            if (!_disposed && !IsAnswered)
            {
                EndWait();
            }
        }
    }

    private void EndWait()
    {
        IsAnswered = true;
        StopWaiting();
        _answered();
    }

    private void StopWaiting()
    {
        _registry.Answered -= OnAnswered;
        _timer?.Dispose();
        _timer = null;
    }
}
